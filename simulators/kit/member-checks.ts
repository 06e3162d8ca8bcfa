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

/** Decimal text of taka, up to two places. */
export const taka: Check = (value) => typeof value === 'string' && /^\d{1,8}(\.\d{1,2})?$/.test(value);

/** Checks the faults of each operation. `whole` checks counts and times; `own` has the checks of the gateway's own members. */
export function faultsOf(
  operations: readonly string[],
  { kinds, whole, own }: { kinds: readonly string[]; whole: Check; own: Checks },
): Check {
  const fault = ofKind({
    kind: oneOf(...kinds),
    times: (value) => whole(value) && value !== 0,
    executed: oneOf(true, false, 'late'),
    early: flag,
    delayMs: whole,
    ...own,
  });
  return membersOf(Object.fromEntries(operations.map((operation) => [operation, listOf(fault)])));
}

export type InputChecks<Script, Settings> = {
  /** Finds a script by its number or name. */
  find: (name: string) => Script | undefined;
  script: Readonly<Record<keyof Script, Check>>;
  settings: Readonly<Record<keyof Settings, Check>>;
};

/** Returns the functions that read what is sent to the control API. They throw a BodyError that names the invalid member. */
export function inputReaders<Script, Settings>({ find, script, settings }: InputChecks<Script, Settings>) {
  return {
    parseScript: (value: unknown): Script => readScript(value, { find, checks: script }),
    parseSettings: (value: unknown): Partial<Settings> => readSettings(value, settings),
  };
}

/**
 * Reads a script: the number or name of a row of the table, or an object.
 * @throws BodyError naming the invalid member
 */
function readScript<Script>(
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
function readSettings<Settings>(value: unknown, checks: Readonly<Record<keyof Settings, Check>>): Partial<Settings> {
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
