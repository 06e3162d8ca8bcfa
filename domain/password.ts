export const PASSWORD_LENGTH_MIN = 12;
/** Long enough for any passphrase, short enough to hash cheaply. */
export const PASSWORD_LENGTH_MAX = 128;
/** The longest input that is read, in UTF-16 units. Normalization may shorten it. */
export const PASSWORD_UNITS_MAX = 512;
