import type { Random } from '../random.ts';
import { START_MS } from '../world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Three in the morning in Dhaka, when the schedule runs the day before. */
const SCHEDULE_UTC_HOUR = 21;
/** Longer than anything takes to come to rest. */
export const SLOT_MS = 3 * HOUR_MS;
/** Nothing new fails from then on, so that the rest of a slot is for what follows. */
export const FAULTS_FOR_MS = 5 * 60_000;

/** What people and the schedule do. Those of the second group end differently from one telling to the next. */
const ORDERLY_ACTS = ['upload', 'upload again', 'statement', 'run', 'wait'] as const;
const HASTY_ACTS = [
  'upload twice at once',
  'upload and run',
  'upload and cancel',
  'upload and cancel the workflow',
  'upload and cancel its run',
  'run twice at once',
  'run and cancel',
] as const;
export const ACTS = [...ORDERLY_ACTS, ...HASTY_ACTS, 'schedule', 'upload all', 'run all'] as const;
export type Act = (typeof ACTS)[number];

/** What befalls a process at its n-th statement or commit of a slot. */
export interface Blow {
  readonly process: string;
  readonly at: 'statement' | 'commit';
  readonly nth: number;
  readonly deed: 'kill' | 'freeze';
  readonly forMs: number;
}

export interface Slot {
  readonly atMs: number;
  readonly act: Act;
  readonly blows: readonly Blow[];
}

export interface PayoutPlan {
  /** Whether runs read the gateway's own API as well. */
  readonly api: boolean;
  /** Whether each act begins when the one before has come to rest and none is cancelled, so that disturbances may change nothing at all. */
  readonly orderly: boolean;
  readonly slots: readonly Slot[];
  /** Shares of statements, by what becomes of them while something may fail. */
  readonly loss: number;
  readonly refusal: number;
  readonly slowness: number;
  readonly temporalLoss: number;
  readonly gatewayLoss: number;
  readonly answerLoss: number;
  readonly skewMs: Readonly<Record<string, number>>;
  /** A run begins a new history after so many events. */
  readonly longHistory: number;
  /** Rows of nobody in one file, so that its import takes several steps. */
  readonly bulk: number;
}

export const PROCESSES = ['api', 'worker-a', 'worker-b'] as const;

const GAPS_MS = { soon: 0, tomorrow: DAY_MS, 'next week': 6 * DAY_MS } as const;

function isNight(atMs: number): boolean {
  return new Date(atMs).getUTCHours() === SCHEDULE_UTC_HOUR;
}

function blowOf(random: Random): Blow {
  return {
    process: random.pick(PROCESSES),
    at: random.pick(['statement', 'commit'] as const),
    nth: random.between(1, 60),
    deed: random.chance(0.75) ? 'kill' : 'freeze',
    forMs: random.between(500, 60_000),
  };
}

export function planOf(random: Random): PayoutPlan {
  const orderly = random.chance(0.5);
  const api = !orderly && random.chance(0.5);
  const acts = orderly ? ORDERLY_ACTS : [...ORDERLY_ACTS, ...HASTY_ACTS];
  const slots: Slot[] = [];
  let atMs = START_MS;
  const add = (act: Act): void => {
    slots.push({ atMs, act, blows: Array.from({ length: random.between(0, 3) }, () => blowOf(random)) });
    atMs += SLOT_MS;
  };
  /** Lets time pass, in which the schedule runs each night. */
  const goOn = (untilMs: number): void => {
    while (atMs < untilMs || isNight(atMs)) {
      if (isNight(atMs)) {
        add('schedule');
      } else {
        atMs += SLOT_MS;
      }
    }
  };
  for (let count = random.between(4, 8); count > 0; count -= 1) {
    goOn(atMs + GAPS_MS[random.weighted({ soon: 6, tomorrow: 2, 'next week': 1 })]);
    add(random.pick(acts));
  }
  goOn(atMs);
  add('upload all');
  goOn(atMs);
  add('run all');
  return {
    api,
    orderly,
    slots,
    loss: random.pick([0, 0.005, 0.02]),
    refusal: random.pick([0, 0.005, 0.02]),
    slowness: random.pick([0, 0.002, 0.01]),
    temporalLoss: random.pick([0, 0.05]),
    gatewayLoss: random.pick([0, 0.1, 0.7]),
    answerLoss: random.pick([0, 0.1]),
    skewMs: Object.fromEntries(PROCESSES.map((name) => [name, random.between(-2_000, 2_000)])),
    longHistory: random.pick([8, 1_000]),
    bulk: random.chance(0.1) ? random.between(210, 450) : 0,
  };
}
