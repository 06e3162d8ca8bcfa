import {
  FORGERIES,
  GATEWAY_SCRIPT_NAMES,
  GATEWAY_SCRIPTS,
  LINKS,
  PROCESS_DIALS,
  RECEIVER_DIALS,
  TOXICS,
  type Forgery,
  type GatewayScript,
  type LinkName,
  type ProcessDial,
  type ReceiverDial,
  type Toxic,
} from './dials.ts';
import { randomFrom, type Random } from './random.ts';

export type Trouble =
  | { readonly kind: 'process'; readonly dial: ProcessDial }
  | { readonly kind: 'receiver'; readonly dial: ReceiverDial }
  | { readonly kind: 'link'; readonly link: LinkName; readonly toxic: Toxic };

/** Something that is done to the stack while it works. */
export type PlannedFault = Trouble & {
  /** 0 or 1: which of two alike processes it happens to. */
  readonly victim: 0 | 1;
  readonly atMs: number;
  /**
   * `charge`: from then on it waits for the gateway to take money, and strikes so many milliseconds later: what follows a charge is where
   * a death costs most. `clock`: it strikes at once.
   */
  readonly cue: 'clock' | 'charge';
  readonly cueDelayMs: number;
  /** How long it lasts; of a killed process, how long it stays dead before it is started again. */
  readonly forMs: number;
};

export const PAYER_ACTS = [
  'pay',
  'fail',
  'cancel-at-gateway',
  'leave-the-gateway',
  'never-come',
  'close-after-paying',
  'cancel-on-our-page',
  'cancel-then-pay',
] as const;
export type PayerAct = (typeof PAYER_ACTS)[number];

/** A client that sends its key once more: at once to the other api, later, or later with another body. */
export type Repeat = 'at-once' | 'later' | 'other-body';

/** One payment of a round: what the application and its payer are going to do. */
export interface Errand {
  /** Unique in the whole run; the product name carries it to the gateway, so that its books can be told apart. */
  readonly mark: string;
  /** Index into the run's applications. */
  readonly app: 0 | 1 | 2;
  readonly startMs: number;
  readonly amountMinor: number;
  readonly script: GatewayScript | null;
  readonly act: PayerAct;
  readonly firstApi: 0 | 1;
  readonly repeat: Repeat | null;
  readonly forgery: Forgery | null;
}

export interface RoundPlan {
  readonly seed: string;
  readonly round: number;
  readonly faults: readonly PlannedFault[];
  readonly errands: readonly Errand[];
}

/** Rounds that together turn every dial at least once. */
export const CYCLE_ROUNDS = 8;
export const LOAD_MS = 3_500;
const ERRANDS = 12;
const SCRIPTED = 6;
/** Behind the scripted and the forged ones. */
const LATE_MONEY_INDEX = SCRIPTED + FORGERIES.length;
const TOXICS_PER_LINK = 2;
const AMOUNT_MINOR_MIN = 1_000;
const AMOUNT_MINOR_MAX = 500_000;
/** The simulator reads amounts of 1313.NN taka as orders to misbehave. */
const SCRIPTED_TAKA = 1_313;
/** Of a hundred payers without a scripted gateway, roughly as many of each. */
const ACT_WEIGHTS: Readonly<Record<PayerAct, number>> = {
  pay: 46,
  'close-after-paying': 10,
  fail: 9,
  'cancel-at-gateway': 9,
  'leave-the-gateway': 6,
  'never-come': 6,
  'cancel-on-our-page': 7,
  'cancel-then-pay': 7,
};

export interface RoundName {
  readonly seed: bigint;
  readonly round: number;
  /** Every fault, or every payment where it is the gateway's, is this one. */
  readonly onlyDial?: string | undefined;
}

/** What happens in a round; the same for the same seed and round, whatever was run before it. */
export function planRound({ seed, round, onlyDial }: RoundName): RoundPlan {
  const random = randomFrom(seed, round);
  const troubles = onlyDial === undefined ? dealtTroubles(seed, round) : onlyTroubles(onlyDial, random);
  const scripts = onlyDial === undefined ? dealtScripts(seed, round) : onlyScripts(onlyDial);
  const forgeries = onlyDial === undefined || !isForgery(onlyDial) ? FORGERIES : [onlyDial];
  return {
    seed: seed.toString(),
    round,
    faults: troubles.map((trouble) => ({
      ...trouble,
      victim: random.chance(0.5) ? 0 : 1,
      atMs: random.between(300, LOAD_MS - 900),
      forMs: random.between(300, 1_600),
      cue: random.chance(0.5) ? 'charge' : 'clock',
      cueDelayMs: random.between(0, 250),
    })),
    errands: Array.from({ length: ERRANDS }, (_, index) =>
      errand({ seed, round, index, script: scripts[index] ?? null, forgery: forgeries[index - SCRIPTED] ?? null }),
    ),
  };
}

interface Drawn {
  readonly seed: bigint;
  readonly round: number;
  readonly index: number;
  readonly script: GatewayScript | null;
  readonly forgery: Forgery | null;
}

function errand({ seed, round, index, script, forgery }: Drawn): Errand {
  const random = randomFrom(seed, round, 1_000 + index);
  const amountMinor = script === null ? plainAmount(random) : SCRIPTED_TAKA * 100 + GATEWAY_SCRIPTS[script];
  const plainAct = index === LATE_MONEY_INDEX ? 'cancel-then-pay' : drawAct(random);
  const act = forgery === null ? (script === null ? plainAct : 'pay') : 'leave-the-gateway';
  return {
    mark: `${seed}-${round}-${index}`,
    app: random.pick([0, 1, 2] as const),
    startMs: random.between(0, LOAD_MS - 1_300),
    amountMinor,
    script,
    act,
    firstApi: random.pick([0, 1] as const),
    repeat: random.chance(0.5) ? random.pick(['at-once', 'later', 'other-body'] as const) : null,
    forgery,
  };
}

function plainAmount(random: Random): number {
  const amount = random.between(AMOUNT_MINOR_MIN, AMOUNT_MINOR_MAX);
  return Math.floor(amount / 100) === SCRIPTED_TAKA ? amount + 100 : amount;
}

function drawAct(random: Random): PayerAct {
  return random.pick(PAYER_ACTS.flatMap((act) => Array.from({ length: ACT_WEIGHTS[act] }, () => act)));
}

/** A cycle's troubles are one shuffled deck, dealt out so that none is missing and no round has fewer than four. */
function dealtTroubles(seed: bigint, round: number): Trouble[] {
  const cycle = Math.floor(round / CYCLE_ROUNDS);
  const deck = randomFrom(seed, cycle, 1).shuffled<Trouble>([
    ...PROCESS_DIALS.map((dial) => ({ kind: 'process', dial }) as const),
    ...RECEIVER_DIALS.map((dial) => ({ kind: 'receiver', dial }) as const),
    ...LINKS.flatMap((link, index) =>
      Array.from({ length: TOXICS_PER_LINK }, (_, turn) => ({
        kind: 'link' as const,
        link,
        toxic: toxicAt(index + cycle * TOXICS_PER_LINK + turn),
      })),
    ),
  ]);
  return deck.filter((_, index) => index % CYCLE_ROUNDS === round % CYCLE_ROUNDS);
}

/** Over three cycles every link meets every toxic. */
function toxicAt(index: number): Toxic {
  return TOXICS[index % TOXICS.length] ?? 'cut';
}

function dealtScripts(seed: bigint, round: number): GatewayScript[] {
  const cycle = Math.floor(round / CYCLE_ROUNDS);
  const deck = randomFrom(seed, cycle, 2).shuffled(GATEWAY_SCRIPT_NAMES);
  return Array.from({ length: SCRIPTED }, (_, index) => {
    const position = (round % CYCLE_ROUNDS) * SCRIPTED + index;
    return deck[position % deck.length] ?? 'silence';
  });
}

function onlyTroubles(dial: string, random: Random): Trouble[] {
  const [link, toxic] = [LINKS.find((name) => name === dial), TOXICS.find((name) => name === dial)];
  const process = PROCESS_DIALS.find((name) => name === dial);
  const receiver = RECEIVER_DIALS.find((name) => name === dial);
  if (link !== undefined || toxic !== undefined) {
    return [0, 1, 2].map(() => ({
      kind: 'link',
      link: link ?? random.pick(LINKS),
      toxic: toxic ?? random.pick(TOXICS),
    }));
  }
  if (process !== undefined) {
    return [
      { kind: 'process', dial: process },
      { kind: 'process', dial: process },
    ];
  }
  return receiver === undefined ? [] : [{ kind: 'receiver', dial: receiver }];
}

function onlyScripts(dial: string): GatewayScript[] {
  const script = GATEWAY_SCRIPT_NAMES.find((name) => `gateway:${name}` === dial);
  return script === undefined ? [] : Array.from({ length: ERRANDS }, () => script);
}

function isForgery(dial: string): dial is Forgery {
  return FORGERIES.some((name) => name === dial);
}
