export const PASSWORD_LENGTH_MIN = 12;
/** Long enough for any phrase, short enough that hashing it costs nothing to speak of. */
export const PASSWORD_LENGTH_MAX = 128;
/** What is read of a password at all, in UTF-16 units: normalization may make it shorter. */
export const PASSWORD_UNITS_MAX = 512;
/** A part of somebody's address or name that is shorter says too little to be refused. */
const PERSONAL_PART_MIN = 4;

/** Of the commonest passwords in published leaks, those that are long enough to be chosen here, and their obvious kin. */
const COMMONEST: ReadonlySet<string> = new Set(
  `123456789012 1234567890123 1234567890qwe 1234567890-= 123456789abc 0123456789ab 012345678910 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc qwertyuiop12
   qwertyuiop123 qwertyuiop[] qwerty123456 qwerty1234567 qwerty12345678 qazwsxedcrfv qazwsx123456 asdfghjkl123 asdfghjkl;' zxcvbnm12345 abcdefghijkl
   abcdefgh1234 abcd12345678 abc123456789 a1b2c3d4e5f6 aa1234567890 password1234 password12345 password123456 password@123 password@1234 password!234
   passwordpassword p@ssw0rd1234 p@ssword1234 passw0rd1234 mypassword123 newpassword1 changeme1234 changeme12345 changemenow! letmein12345 letmeinplease
   welcome12345 welcome@1234 welcome123456 administrator administrator1 admin1234567 admin12345678 administrator123 administrator1! superadmin123 rootroot1234
   iloveyou1234 iloveyouforever iloveyou12345 sunshine1234 princess1234 football1234 baseball1234 liverpool123 manchester12 manunited123 superman1234 batman123456
   dragon123456 monkey123456 shadow123456 michael12345 jesuschrist1 jesus1234567 bangladesh123 bangladesh12 bangladesh71 bangladesh1971 amarsonarbangla dhaka1234567
   trustno1trustno1 correcthorsebatterystaple thisisapassword secretpassword supersecret123 sslcommerz123 lendenlenden payments1234`.split(
    /\s+/,
  ),
);

/** Why a password may not be chosen. */
export type PasswordFault = 'length' | 'common' | 'personal';

const FAULT_WORDS: Readonly<Record<PasswordFault, string>> = {
  length: `must have ${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters`,
  common: 'is among the passwords that are guessed first',
  personal: 'must not be made of your e-mail address or name',
};

/** Why this password may not be chosen, in words for the person; null when it may. */
export function passwordProblem(password: string, person: { email: string; name: string }): string | null {
  const fault = passwordFault(password, person);
  return fault === null ? null : FAULT_WORDS[fault];
}

/** Null when the password may be chosen. Length is what counts; no rules of composition. */
export function passwordFault(
  password: string,
  { email, name }: { email: string; name: string },
): PasswordFault | null {
  const length = [...password.normalize('NFKC')].length;
  if (password.length > PASSWORD_UNITS_MAX || length < PASSWORD_LENGTH_MIN || length > PASSWORD_LENGTH_MAX) {
    return 'length';
  }
  const plain = password.normalize('NFKC').toLowerCase();
  if (COMMONEST.has(plain.replaceAll(/\s/g, '')) || isRepetition(plain) || isRun(plain)) {
    return 'common';
  }
  return isPersonal(plain, { email, name }) ? 'personal' : null;
}

/** `aaaaaaaaaaaa`, `abcabcabcabc`. */
function isRepetition(text: string): boolean {
  return /^(.{1,4})\1+.{0,3}$/su.test(text) && new Set(text).size <= 4;
}

/** `abcdefghijkl`, `210987654321`: every character next to the one before it. */
function isRun(text: string): boolean {
  const steps = [...text].slice(1).map((character, index) => character.charCodeAt(0) - text.charCodeAt(index));
  return steps.every((step) => step === 1 || step === -9) || steps.every((step) => step === -1 || step === 9);
}

/** The address or the name, with nothing but digits and signs added. */
function isPersonal(text: string, { email, name }: { email: string; name: string }): boolean {
  const letters = (part: string): string => part.toLowerCase().replace(/[^\p{L}]/gu, '');
  const address = email.toLowerCase();
  const parts = [address, address.split('@')[0] ?? '', name].map(letters);
  return text.includes(address) || parts.some((part) => part.length >= PERSONAL_PART_MIN && part === letters(text));
}
