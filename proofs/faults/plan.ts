import {
  FORGERIES,
  GATEWAY_SCRIPT_NAMES,
  GATEWAY_SCRIPTS,
  LATE_ACTS,
  LINKS,
  PROCESS_DIALS,
  RECEIVER_DIALS,
  REFUND_ACTS,
  REFUND_SCRIPT_NAMES,
  REFUND_SCRIPTS,
  TOXICS,
  type Forgery,
  type GatewayScript,
  type LateAct,
  type LinkName,
  type ProcessDial,
  type ReceiverDial,
  type RefundAct,
  type RefundScript,
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
   * a death costs most. `refund`: for the gateway to take on a refund, or to end one. `clock`: it strikes at once.
   */
  readonly cue: 'clock' | 'charge' | 'refund';
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
  readonly script: GatewayScript | RefundScript | null;
  readonly act: PayerAct;
  readonly firstApi: 0 | 1;
  readonly repeat: Repeat | null;
  readonly forgery: Forgery | null;
  /** How it is given back once it is paid. */
  readonly refund: RefundAct | null;
  /** What becomes of its money when that comes late. */
  readonly late: LateAct;
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
/** The first ones are about paying: scripted, forged, late, and two as they come. Behind them come those that are about giving back. */
const PAYING = 12;
const SCRIPTED = 6;
/** Of those about giving back, so many meet a gateway that troubles the refund, and so many one that does not. */
const REFUND_SCRIPTED = 2;
const REFUND_PLAIN = 2;
const ERRANDS = PAYING + REFUND_SCRIPTED + REFUND_PLAIN;
/** Where the refund is scripted, the act must bring one to the gateway. */
const MOVING_ACTS = ['part', 'whole', 'rush', 'mixed', 'approved', 'approved-at-once'] as const satisfies RefundAct[];
const REFUND_MINOR_MIN = 50_000;
/** By the policies of the run's applications. */
const LATE_APPS = { refund: 0, keep: 2, policy: 1 } as const satisfies Record<LateAct, 0 | 1 | 2>;
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
  const onlyLate = LATE_ACTS.find((act) => `late:${act}` === onlyDial);
  const faults = troubles.map((trouble): PlannedFault => ({
    ...trouble,
    victim: random.chance(0.5) ? 0 : 1,
    atMs: random.between(300, LOAD_MS - 900),
    forMs: random.between(300, 1_600),
    cue: random.chance(0.5) ? 'charge' : 'clock',
    cueDelayMs: random.between(0, 250),
  }));
  return {
    seed: seed.toString(),
    round,
    faults: onlyDial === undefined ? [...faults, faultAtRefund(seed, round)] : faults,
    errands: [
      ...Array.from({ length: PAYING }, (_, index) =>
        errand({
          seed,
          round,
          index,
          script: scripts[index] ?? null,
          forgery: forgeries[index - SCRIPTED] ?? null,
          late: onlyLate ?? LATE_ACTS[round % LATE_ACTS.length] ?? 'refund',
        }),
      ),
      ...Array.from({ length: ERRANDS - PAYING }, (_, index) => refundErrand({ seed, round, index, onlyDial })),
    ],
  };
}

/** One more fault waits for a refund: the gateway has it, and nobody may know yet. */
function faultAtRefund(seed: bigint, round: number): PlannedFault {
  const random = randomFrom(seed, round, 3);
  const link = (): Trouble => ({ kind: 'link', link: random.pick(LINKS), toxic: random.pick(TOXICS) });
  return {
    ...(random.chance(0.4) ? link() : { kind: 'process', dial: random.pick(PROCESS_DIALS) }),
    victim: random.chance(0.5) ? 0 : 1,
    atMs: random.between(500, LOAD_MS - 1_500),
    forMs: random.between(300, 1_600),
    cue: 'refund',
    cueDelayMs: random.between(0, 400),
  };
}

interface DrawnRefund {
  readonly seed: bigint;
  readonly round: number;
  readonly index: number;
  readonly onlyDial: string | undefined;
}

function refundErrand({ seed, round, index, onlyDial }: DrawnRefund): Errand {
  const random = randomFrom(seed, round, 2_000 + index);
  const dealt = index < REFUND_SCRIPTED ? { script: dealtRefundScript({ seed, round, index }) } : { script: null };
  const onlyScript = REFUND_SCRIPT_NAMES.find((name) => `gateway:${name}` === onlyDial);
  const onlyAct = REFUND_ACTS.find((act) => `refund:${act}` === onlyDial);
  const script = onlyDial === undefined ? dealt.script : (onlyScript ?? null);
  const act = script === null ? dealtAct({ seed, round, index }) : random.pick(MOVING_ACTS);
  return {
    mark: `${seed}-${round}-${PAYING + index}`,
    app: random.pick([0, 1] as const),
    startMs: random.between(0, 700),
    amountMinor:
      script === null
        ? scriptless(random.between(REFUND_MINOR_MIN, AMOUNT_MINOR_MAX))
        : SCRIPTED_TAKA * 100 + REFUND_SCRIPTS[script],
    script,
    act: 'pay',
    firstApi: random.pick([0, 1] as const),
    repeat: null,
    forgery: null,
    refund: onlyAct ?? act,
    late: 'refund',
  };
}

interface Drawn {
  readonly seed: bigint;
  readonly round: number;
  readonly index: number;
  readonly script: GatewayScript | null;
  readonly forgery: Forgery | null;
  /** Of the payment that is certainly paid late. */
  readonly late: LateAct;
}

function errand({ seed, round, index, script, forgery, late }: Drawn): Errand {
  const random = randomFrom(seed, round, 1_000 + index);
  const amountMinor = script === null ? plainAmount(random) : SCRIPTED_TAKA * 100 + GATEWAY_SCRIPTS[script];
  const plainAct = index === LATE_MONEY_INDEX ? 'cancel-then-pay' : drawAct(random);
  const act = forgery === null ? (script === null ? plainAct : 'pay') : 'leave-the-gateway';
  const drawnApp = random.pick([0, 1, 2] as const);
  const app = index === LATE_MONEY_INDEX ? LATE_APPS[late] : drawnApp;
  const later = randomFrom(seed, round, 3_000 + index);
  return {
    mark: `${seed}-${round}-${index}`,
    app,
    startMs: random.between(0, LOAD_MS - 1_300),
    amountMinor,
    script,
    act,
    firstApi: random.pick([0, 1] as const),
    repeat: random.chance(0.5) ? random.pick(['at-once', 'later', 'other-body'] as const) : null,
    forgery,
    refund: (act === 'pay' || act === 'close-after-paying') && later.chance(0.6) ? later.pick(REFUND_ACTS) : null,
    late: LATE_ACTS.find((name) => LATE_APPS[name] === app) ?? 'refund',
  };
}

function plainAmount(random: Random): number {
  return scriptless(random.between(AMOUNT_MINOR_MIN, AMOUNT_MINOR_MAX));
}

function scriptless(amount: number): number {
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

type Dealt = Omit<DrawnRefund, 'onlyDial'>;

function dealtRefundScript({ seed, round, index }: Dealt): RefundScript {
  const deck = randomFrom(seed, Math.floor(round / CYCLE_ROUNDS), 4).shuffled(REFUND_SCRIPT_NAMES);
  const position = (round % CYCLE_ROUNDS) * REFUND_SCRIPTED + index;
  return deck[position % deck.length] ?? 'refund-silent';
}

function dealtAct({ seed, round, index }: Dealt): RefundAct {
  const deck = randomFrom(seed, Math.floor(round / CYCLE_ROUNDS), 5).shuffled(REFUND_ACTS);
  const position = (round % CYCLE_ROUNDS) * REFUND_PLAIN + index;
  return deck[position % deck.length] ?? 'part';
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
