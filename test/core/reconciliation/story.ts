import { everyLineIsJudgedOnce, payoutsAreBookedOnce } from '../../../proofs/faults/judges/payouts.ts';
import { payoutEvidence } from '../../../proofs/faults/payout-evidence.ts';
import { randomFrom, type Random } from '../../../proofs/faults/random.ts';
import type { Database } from '../../../database/connection.ts';
import { cancelImport } from '../../../core/payouts/import-file.ts';
import { advanceRun, cancelRun } from '../../../core/reconciliation/advance-run.ts';
import { carryOut } from '../../../core/reconciliation/carry-out.ts';
import { openRunOf } from '../../../core/reconciliation/open-run.ts';
import { decidedActions } from '../../../core/reconciliation/store/case-actions.ts';
import { dyingAfter } from '../payouts/payout-world.ts';
import { CALENDAR } from './reconciliation-world.ts';
import { openStoryWorld, type StoryWorld } from './story-world.ts';

const GATEWAY = 'sslcommerz';
const MODE = 'LIVE';
const DEPS = {
  calendar: CALENDAR,
  gateways: { capabilities: () => ({ feeKnown: 'with-the-charge' as const }) } as never,
  dispatch: {} as never,
};
/** A process does a few steps before it dies; the next one goes on. */
const DEATH_SHARE = 0.5;
const STEPS_BEFORE_DEATH_MAX = 5;
const TRIES_MAX = 60;

export interface StoryResult {
  readonly violations: readonly string[];
  readonly deaths: number;
  /** Results that cover something in another currency than that of their line. */
  readonly converted: number;
  /** What happened, in order. */
  readonly acts: readonly string[];
}

/**
 * Plays a story that its seed decides: payments, refunds, files in any order and more than once, runs of any day, late lines, bank amounts, decisions of
 * people, and processes that die before or after a commit. In the end everything is imported and reconciled, and judged.
 *
 * @param damage - SQL that breaks what is judged, to show that the judges notice it
 */
export async function playStory(
  seed: number,
  { damage = null }: { readonly damage?: string | null } = {},
): Promise<StoryResult> {
  const random = randomFrom(BigInt(seed), 23);
  const world = await openStoryWorld(random);
  try {
    const story = new Story(world, random);
    await story.begin();
    const count = random.between(8, 16);
    for (let act = 0; act < count; act += 1) {
      await story.act();
    }
    const violations = await story.end(damage);
    return { violations, deaths: story.deaths, converted: await story.converted(), acts: story.acts };
  } finally {
    await world.close();
  }
}

class Story {
  readonly #world: StoryWorld;
  readonly #random: Random;
  readonly acts: string[] = [];
  deaths = 0;

  constructor(world: StoryWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  async begin(): Promise<void> {
    for (let index = 0; index < 4; index += 1) {
      await this.#world.pay();
    }
    this.#world.payOut();
  }

  async act(): Promise<void> {
    const acts = {
      pay: () => this.#world.pay(),
      'pay late': () => this.#world.payLate(),
      refund: () => this.#world.refund(),
      'pay out': async () => this.#world.payOut(),
      upload: () => this.#upload(),
      'upload twice at once': () => this.#uploadTwice(),
      'upload and cancel': () => this.#uploadAndCancel(),
      run: () => this.#run(),
      'run twice at once': async () => void (await Promise.all([this.#run(), this.#run()])),
      'run and cancel': () => this.#runAndCancel(),
      'bank amount': () => this.#world.receive(),
      'time passes': () => this.#world.letTimePass(),
      'people decide': () => this.#decide(),
    };
    const name = this.#random.pick(Object.keys(acts)) as keyof typeof acts;
    this.acts.push(name);
    await acts[name]();
  }

  /** Everything that the gateway has paid out is uploaded, and every day is run. */
  async end(damage: string | null): Promise<string[]> {
    const { rows } = this.#world;
    await this.#import(await this.#world.upload({ from: 0, to: rows.length }));
    await this.#runEveryDay();
    if (damage !== null) {
      await this.#world.damage(damage);
    }
    const violations = await this.violations();
    const before = await this.#world.books();
    await this.#runEveryDay();
    const after = await this.#world.books();
    const changed = after.filter((line, index) => line !== before[index]);
    return [...violations, ...changed.slice(0, 2).map((line) => `a run that was made again changes: ${line}`)];
  }

  async converted(): Promise<number> {
    const [found] = await this.#world.query<{ results: number }>(
      'select count(converted_minor)::int as results from reconciliation_results',
    );
    return found?.results ?? 0;
  }

  async violations(): Promise<string[]> {
    const { rows, query, verify } = this.#world;
    const payouts = await payoutEvidence({ run: query, close: () => Promise.resolve() }, { unsettled: [], files: [] });
    const [stored] = await query<{ lines: number }>('select count(*)::int as lines from payout_lines');
    const evidence = { payouts } as unknown as Parameters<typeof everyLineIsJudgedOnce>[0];
    return [
      ...(stored?.lines === rows.length
        ? []
        : [`${rows.length} rows were paid out, and ${stored?.lines} lines are stored`]),
      ...everyLineIsJudgedOnce(evidence).violations,
      ...payoutsAreBookedOnce(evidence).violations,
      ...(await verify()).map((finding) => `verify: ${finding}`),
    ];
  }

  /** Repeats a piece of work, in a process of its own each time, until one lives to its end. */
  async #survive<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const { database } = this.#world;
    for (let tries = 0; ; tries += 1) {
      const dies = tries < TRIES_MAX && this.#random.chance(DEATH_SHARE);
      const steps = this.#random.between(0, STEPS_BEFORE_DEATH_MAX);
      try {
        return await work(
          dies ? dyingAfter(database, steps, this.#random.pick(['before', 'after'] as const)) : database,
        );
      } catch (error) {
        const again = /the process has died|another worker goes on|the run ended while it was opened/.test(
          String(error),
        );
        if (!again || tries > TRIES_MAX * 2) {
          throw error;
        }
        this.deaths += 1;
      }
    }
  }

  #import(reference: string): Promise<unknown> {
    return this.#survive((database) => this.#world.import(reference, database));
  }

  async #upload(): Promise<void> {
    await this.#import(await this.#world.upload(this.#window()));
  }

  async #uploadTwice(): Promise<void> {
    const [one, other] = [this.#window(), this.#window()];
    await Promise.all(
      [await this.#world.upload(one), await this.#world.upload(other)].map((reference) => this.#import(reference)),
    );
  }

  async #uploadAndCancel(): Promise<void> {
    const reference = await this.#world.upload(this.#window());
    const { database } = this.#world;
    await this.#world
      .import(reference, dyingAfter(database, this.#random.between(1, 4), 'after'))
      .catch(() => (this.deaths += 1));
    await this.#survive((surviving) => cancelImport({ ...DEPS, database: surviving, log: this.#world.log }, reference));
  }

  /** Part of what was paid out, such as the file of some days. */
  #window(): { readonly from: number; readonly to: number } {
    const { length } = this.#world.rows;
    const from = this.#random.between(0, Math.max(0, length - 1));
    return { from, to: this.#random.between(Math.min(from + 1, length), length) };
  }

  async #run(period?: string): Promise<void> {
    const day = period ?? this.#random.pick(await this.#world.days());
    await this.#survive(async (database) => {
      const reference = await openRunOf({ database }, { mode: MODE, gateway: GATEWAY, period: day });
      while ((await advanceRun({ ...DEPS, database }, reference)).goesOn) {
        // Each part is a transaction of its own.
      }
    });
  }

  async #runAndCancel(): Promise<void> {
    const { database } = this.#world;
    const period = this.#random.pick(await this.#world.days());
    const reference = await openRunOf({ database }, { mode: MODE, gateway: GATEWAY, period });
    for (let part = this.#random.between(0, 6); part > 0; part -= 1) {
      await advanceRun({ ...DEPS, database }, reference);
    }
    await this.#survive((surviving) => cancelRun({ database: surviving }, reference));
  }

  async #runEveryDay(): Promise<void> {
    for (const day of await this.#world.days()) {
      await this.#run(day);
    }
  }

  /** Two people decide about one case, and the decision is carried out, perhaps by several processes. */
  async #decide(): Promise<void> {
    await this.#world.decide();
    await this.#survive(async (database) => {
      for (const decided of await database.withSystem((em) => decidedActions(em, 100))) {
        await carryOut({ ...DEPS, database, log: this.#world.log }, decided);
      }
    });
  }
}
