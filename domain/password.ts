export const PASSWORD_LENGTH_MIN = 12;
/** Long enough for any phrase, short enough that hashing it costs nothing to speak of. */
export const PASSWORD_LENGTH_MAX = 128;
/** What is read of a password at all, in UTF-16 units: normalization may make it shorter. */
export const PASSWORD_UNITS_MAX = 512;
