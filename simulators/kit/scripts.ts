/** The kinds of faults that every gateway has. `refused` and `fields` are answered in the gateway's own form, the others alike. */
export const commonFaultKinds = [
  'http_500',
  'html',
  'empty',
  'truncated',
  'huge',
  'hang',
  'slow',
  'reset',
  'refused',
  'fields',
] as const;

/** What a fault of every gateway says. Each gateway adds its kinds and what belongs to them. */
export type CommonFault<Kind extends string> = {
  kind: Kind;
  /** How many calls are affected, from the first one on; absent means every call. */
  times?: number;
  /**
   * True: the gateway performs the operation, and only the answer is lost or altered. `late`: it performs the operation when the call ends. Otherwise
   * it does nothing.
   */
  executed?: boolean | 'late';
  /** True: queries also fail before the payer has finished. Otherwise they fail only after that. */
  early?: boolean;
  /** For `slow`; absent means the configured default. */
  delayMs?: number;
};

/** The faults of each of the merchant's calls. */
export type Faults<Operation extends string, Fault> = Readonly<Partial<Record<Operation, readonly Fault[]>>>;

export type Row<Script> = { name: string; about: string; script: Script };
export type ScriptTable<Script> = Readonly<Record<string, Row<Script>>>;

/** Finds a row by its number or its name. */
export function scriptIn<Script>(table: ScriptTable<Script>, key: string): Script | undefined {
  const row = Object.hasOwn(table, key) ? table[key] : Object.values(table).find(({ name }) => name === key);
  return row?.script;
}

/** Returns the number of the row that an amount `1313.NN` picks, or ''. */
export function numberInAmount(amount: string | undefined): string {
  return /^1313\.(\d{2})$/.exec(amount ?? '')?.[1] ?? '';
}

/** Returns the number of the row that a phone or wallet `017000000NN` picks, or ''. */
export function numberInPhone(phone: string | undefined): string {
  return /^(?:\+?88)?017000000(\d{2})$/.exec(phone ?? '')?.[1] ?? '';
}

/** Merges two scripts. The later one wins for each member, and faults are merged by operation. */
export function merged<Script extends { faults?: object }>(earlier: Script, later: Script): Script {
  const faults = earlier.faults || later.faults ? { faults: { ...earlier.faults, ...later.faults } } : {};
  return { ...earlier, ...later, ...faults };
}

type SpoiltAnswer = CommonFault<'http_500' | 'html' | 'empty' | 'truncated' | 'huge' | 'slow' | 'reset' | 'hang'>;

/** The rows 30 to 37 of every table: queries that fail. `few` and `all` name the calls, as in "the first 2 queries" and "queries". */
export function failingQueries<Script>(
  on: (fault: SpoiltAnswer) => Script,
  { few, all }: { few: string; all: string },
): ScriptTable<Script> {
  const twice = (kind: SpoiltAnswer['kind']): Script => on({ kind, times: 2 });
  return {
    '30': { name: 'http-500', about: `${few} answer HTTP 500`, script: twice('http_500') },
    '31': { name: 'http-500-always', about: `${all} always answer HTTP 500`, script: on({ kind: 'http_500' }) },
    '32': { name: 'garbage-html', about: `${few} answer HTML`, script: twice('html') },
    '33': { name: 'garbage-empty', about: `${few} answer nothing`, script: twice('empty') },
    '34': { name: 'garbage-truncated', about: `${few} answer half a JSON`, script: twice('truncated') },
    '35': { name: 'garbage-huge', about: `${few} answer 10 MB`, script: twice('huge') },
    '36': { name: 'slow', about: `${all} answer after slowMs`, script: on({ kind: 'slow' }) },
    '37': { name: 'reset', about: `${few} lose the connection`, script: twice('reset') },
  };
}

/** How the texts of the rows 41 to 53 name the call that opens a payment. */
export type OpeningCall = {
  /** The beginning of the rows' names. */
  name: string;
  one: string;
  all: string;
  /** What is true when the call was performed, as in "the session was made". */
  done: string;
  /** What a call that was lost before it was performed does, as in "makes no session". */
  notDone: string;
};

/** The rows 41 to 46, 48, 49 and 53 of every table: the call that opens a payment fails. */
export function failingOpenings<Script>(
  on: (fault: SpoiltAnswer) => Script,
  { name, one, all, done, notDone }: OpeningCall,
): ScriptTable<Script> {
  const once = (kind: SpoiltAnswer['kind']): Script => on({ kind, times: 1 });
  return {
    '41': {
      name: `${name}-timeout`,
      about: `the first ${one} hangs after ${done}`,
      script: on({ kind: 'hang', times: 1, executed: true }),
    },
    '42': { name: `${name}-timeout-always`, about: `${all} always hang`, script: on({ kind: 'hang' }) },
    '43': { name: `${name}-500`, about: `the first ${one} answers HTTP 500`, script: once('http_500') },
    '44': { name: `${name}-html`, about: `the first ${one} answers HTML`, script: once('html') },
    '45': { name: `${name}-empty`, about: `the first ${one} answers nothing`, script: once('empty') },
    '46': { name: `${name}-truncated`, about: `the first ${one} answers half a JSON`, script: once('truncated') },
    '48': { name: `${name}-slow`, about: `${all} answer after slowMs`, script: on({ kind: 'slow' }) },
    '49': { name: `${name}-500-always`, about: `${all} always answer HTTP 500`, script: on({ kind: 'http_500' }) },
    '53': {
      name: `${name}-timeout-before`,
      about: `the first ${one} hangs and ${notDone}`,
      script: once('hang'),
    },
  };
}
