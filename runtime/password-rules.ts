import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, PASSWORD_UNITS_MAX } from '../domain/password.ts';

/** Shorter parts of an address or name are too common to reject. */
const PERSONAL_PART_MIN = 4;
/** zxcvbn's scores range from 0 to 4; 3 resists offline guessing of stolen slow hashes. */
const SCORE_MIN = 3;
/** The estimator reads only a prefix: its time grows with the square of the length, and a prefix that is hard to guess is enough. */
const ESTIMATED_CHARACTERS = 48;
/** Words that attackers of an installation try besides the dictionaries. */
const OUR_WORDS = ['lenden', 'sslcommerz', 'bkash', 'nagad', 'payments', 'bangladesh', 'dhaka', 'amarsonarbangla'];

let estimator: Promise<ZxcvbnFactory> | undefined;

/** The dictionaries take 50 MB and a quarter of a second, so they are loaded for the first chosen password. */
async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory: Factory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ]);
  const dictionary = { ...common.dictionary, ...english.dictionary };
  return new Factory({ dictionary, graphs: common.adjacencyGraphs });
}

/** Why a password is rejected. */
export type PasswordFault = 'length' | 'common' | 'personal';

const FAULT_WORDS: Readonly<Record<PasswordFault, string>> = {
  length: `must have ${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters`,
  common: 'is a commonly used password',
  personal: 'must not be based on your email address or name',
};

/** Returns why the password is rejected, as a message for the person; null if it is accepted. */
export async function passwordProblem(
  password: string,
  person: { email: string; name: string },
): Promise<string | null> {
  const fault = await passwordFault(password, person);
  return fault === null ? null : FAULT_WORDS[fault];
}

/** Returns null if the password is accepted. Length and guessability count; there are no composition rules. */
export async function passwordFault(
  password: string,
  { email, name }: { email: string; name: string },
): Promise<PasswordFault | null> {
  const characters = [...password.normalize('NFKC')];
  const { length } = characters;
  if (password.length > PASSWORD_UNITS_MAX || length < PASSWORD_LENGTH_MIN || length > PASSWORD_LENGTH_MAX) {
    return 'length';
  }
  const plain = characters.join('').toLowerCase();
  if (isPersonal(plain, { email, name })) {
    return 'personal';
  }
  estimator ??= loadEstimator();
  const read = characters.slice(0, ESTIMATED_CHARACTERS).join('');
  const personal = [email, name, ...email.split(/[^\p{L}\p{N}]+/u), ...name.split(/\s+/u)];
  const { score } = (await estimator).check(read, [...personal, ...OUR_WORDS]);
  return score < SCORE_MIN ? 'common' : null;
}

/** Returns whether the text is the address or the name with only digits and signs added. */
function isPersonal(text: string, { email, name }: { email: string; name: string }): boolean {
  const letters = (part: string): string => part.toLowerCase().replace(/[^\p{L}]/gu, '');
  const address = email.toLowerCase();
  const parts = [address, address.split('@')[0] ?? '', name].map(letters);
  return text.includes(address) || parts.some((part) => part.length >= PERSONAL_PART_MIN && part === letters(text));
}
