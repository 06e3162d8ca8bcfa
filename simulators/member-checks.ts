import { BodyError } from './form-body.ts';

/** Returns whether a value sent to the control API is valid. */
export type Check = (value: unknown) => boolean;
/** One check for each allowed member. All members are optional. */
type Checks = Readonly<Record<string, Check>>;

const ITEMS_MAX = 100;

export const flag: Check = (value) => typeof value === 'boolean';
export const text: Check = (value) => typeof value === 'string' && value.length <= 1_000;
export const wholeUpTo =
  (most: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
export const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);
export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= ITEMS_MAX && value.every(check);
export const membersOf =
  (checks: Checks): Check =>
  (value) =>
    isObject(value) && Object.entries(value).every(([name, one]) => isAllowed(checks, name, one));
/** Accepts an object with a `kind` and only members that the checks allow. */
export const ofKind =
  (checks: Checks): Check =>
  (value) =>
    membersOf(checks)(value) && isObject(value) && value['kind'] !== undefined;
/** Accepts an object whose values are texts. */
export const textMembers: Check = (value) => isObject(value) && Object.values(value).every(text);
/** Accepts an object of texts and numbers; null stands for a member to leave out. */
export const answerMembers: Check = (value) =>
  isObject(value) && Object.values(value).every((one) => one === null || ['string', 'number'].includes(typeof one));

/**
 * Reads a script: the number or name of a row of the table, or an object.
 * @throws BodyError naming the invalid member
 */
export function readScript<Script>(
  value: unknown,
  { find, checks }: { find: (name: string) => Script | undefined; checks: Readonly<Record<keyof Script, Check>> },
): Script {
  if (typeof value === 'string') {
    const script = find(value);
    if (!script) {
      throw new BodyError(400, `There is no script ${value}`);
    }
    return script;
  }
  refuseBadMembers({ value, checks, where: 'script' });
  return value as Script;
}

/**
 * Reads the settings to change. The others keep their values.
 * @throws BodyError naming the invalid member
 */
export function readSettings<Settings>(
  value: unknown,
  checks: Readonly<Record<keyof Settings, Check>>,
): Partial<Settings> {
  refuseBadMembers({ value, checks, where: `config (${Object.keys(checks).join(', ')})` });
  return value as Partial<Settings>;
}

function refuseBadMembers({ value, checks, where }: { value: unknown; checks: Checks; where: string }): void {
  if (!isObject(value)) {
    throw new BodyError(400, `${where} must be an object`);
  }
  for (const [name, one] of Object.entries(value)) {
    if (!isAllowed(checks, name, one)) {
      throw new BodyError(400, `${where}: ${name} is unknown or has a wrong value`);
    }
  }
}

function isAllowed(checks: Checks, name: string, value: unknown): boolean {
  return Object.hasOwn(checks, name) && checks[name]?.(value) === true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
