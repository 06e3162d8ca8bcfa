import * as workflows from '../../../workflows/index.ts';
import { createApplication } from '../../../test/core/ledger/ledger-fixture.ts';
import type { Books } from '../../kills/books.ts';
import { liveIn } from '../fake-globals.ts';
import { PgliteServer } from '../pglite/server.ts';
import { Random } from '../random.ts';
import type { SeedResult } from '../seed.ts';
import type { WorkflowCode } from '../temporal/server.ts';
import { settled, Timeline } from '../timeline.ts';
import { START_MS } from '../world.ts';
import { readEveryRow } from './books.ts';
import { gatherEvidence, type PayoutStoryEvidence } from './evidence.ts';
import { PayoutGateway } from './gateway.ts';
import { judgePayouts } from './judges.ts';
import { FinancePeople } from './people.ts';
import { planOf, SLOT_MS, type PayoutPlan } from './plan.ts';
import { CALENDAR, PayoutWorld } from './world.ts';

/** The reason for which a slot's faults end long before the next one. */
const RESTS_AFTER_MS = SLOT_MS - 60_000;

let started: Promise<PgliteServer> | undefined;

/** Returns this thread's server. */
function serverOfThread(): Promise<PgliteServer> {
  started ??= PgliteServer.start();
  return started;
}

/** Opening an EntityManager takes some turns of the real event loop. */
const IDLE_MAX = 100_000;

interface Told {
  readonly evidence: PayoutStoryEvidence;
  readonly again: Books;
  readonly branches: ReadonlyMap<string, number>;
  readonly fakeMs: number;
}

interface Options {
  readonly trace: boolean;
  /** SQL that breaks what is judged, to show that the judges notice it: the story is told once for each. */
  readonly damages: readonly (string | null)[];
}

/** Tells the story of a seed without disturbances and with them, and judges the second telling by itself and by the first. */
export async function runPayoutSeed(seed: number, { trace, damages }: Options): Promise<SeedResult[]> {
  const server = await serverOfThread();
  const plan = planOf(new Random(seed).fork('plan'));
  const undisturbed = await tell(server, { seed, plan, disturbed: false, damage: null, lines: null });
  const results: SeedResult[] = [];
  for (const damage of damages) {
    const lines: string[] = [];
    const { evidence, again, branches, fakeMs } = await tell(server, {
      seed,
      plan,
      disturbed: true,
      damage,
      lines: trace ? lines : null,
    });
    const violations = judgePayouts({
      told: evidence,
      undisturbed: undisturbed.evidence,
      orderly: plan.orderly,
      again,
    });
    results.push({ seed, violations, branches: Object.fromEntries(branches), trace: lines, fakeMs });
  }
  return results;
}

interface Telling {
  readonly seed: number;
  readonly plan: PayoutPlan;
  readonly disturbed: boolean;
  readonly damage: string | null;
  readonly lines: string[] | null;
}

async function tell(server: PgliteServer, telling: Telling): Promise<Told> {
  const { seed, plan, disturbed, lines } = telling;
  const random = new Random(seed);
  const timeline = new Timeline(START_MS);
  const told = (line: string): void => {
    lines?.push(`${((timeline.nowMs - START_MS) / 1_000).toFixed(3).padStart(11)} ${line}`);
  };
  told(JSON.stringify(plan));
  liveIn({ timeline, random: random.fork('chance') });
  try {
    const world = new PayoutWorld({
      plan,
      random: random.fork('world'),
      timeline,
      server,
      workflows: workflows as Record<string, WorkflowCode>,
      told,
      disturbed,
    });
    await server.begin({ timeline, faults: world.faults() });
    return await new Teller({ world, server, telling, random }).tell();
  } finally {
    liveIn(null);
  }
}

class Teller {
  private readonly world: PayoutWorld;
  private readonly server: PgliteServer;
  private readonly telling: Telling;
  private readonly random: Random;
  private readonly restless: string[] = [];

  constructor(given: {
    readonly world: PayoutWorld;
    readonly server: PgliteServer;
    readonly telling: Telling;
    readonly random: Random;
  }) {
    this.world = given.world;
    this.server = given.server;
    this.telling = given.telling;
    this.random = given.random;
  }

  async tell(): Promise<Told> {
    const { world, server, random, telling } = this;
    const { timeline } = world;
    const { gateway, people } = await this.during(async () => {
      const applicationId = await createApplication(server.database);
      const [operator] = await server.read<{ id: string }>(
        `insert into operators (email, name, password_hash) values ('finance@example.com', 'Finance', 'x') returning id::text`,
      );
      const payoutGateway = new PayoutGateway({
        database: server.database,
        random: random.fork('gateway'),
        reached: (branch) => world.reached(branch),
        applicationId,
      });
      const finance = new FinancePeople({
        world,
        server,
        gateway: payoutGateway,
        random: random.fork('people'),
        operatorId: BigInt(operator?.id ?? 0),
      });
      await finance.prepare(telling.plan.api);
      world.payoutsOf = (window) => payoutGateway.page(window);
      return { gateway: payoutGateway, people: finance };
    });
    const bulkAt = random.fork('bulk').between(0, 2);
    for (const [index, slot] of telling.plan.slots.entries()) {
      await this.until(slot.atMs);
      if (slot.act !== 'schedule' && !slot.act.endsWith(' all')) {
        const bulk = index === bulkAt ? telling.plan.bulk : 0;
        await this.during(() => gateway.trade(CALENDAR.today(new Date(timeline.nowMs)), bulk));
      }
      world.told(`— ${slot.act}`);
      world.reached(`act: ${slot.act}`);
      world.trouble(slot);
      world.act(() => people.act(slot.act));
      world.keepSweeping();
      await this.until(slot.atMs + RESTS_AFTER_MS);
      if (!world.atRest()) {
        const running = [...world.temporal.runs.values()].filter(({ status }) => status === 'running');
        this.restless.push(
          `"${slot.act}" is not over after ${RESTS_AFTER_MS / 3_600_000} hours: ${world.pending} people, ${running.map(({ workflowId }) => workflowId).join()}`,
        );
      }
    }
    world.calm();
    if (telling.damage !== null) {
      await server.damage(telling.damage);
    }
    const evidence = await this.during(async () => ({
      ...(await gatherEvidence(server, { gateway, people })),
      workflows: [...world.temporal.runs.values()].map(({ workflowId, type, status, cancelRequested }) => ({
        workflowId,
        type,
        status,
        cancelRequested,
      })),
      restless: this.restless,
      wrong: world.wrong,
    }));
    const again = telling.disturbed ? await this.runAgain(people) : evidence.everyRow;
    for (const { status, reason } of await server.read<{ status: string; reason: string | null }>(
      'select distinct status, reason from reconciliation_results',
    )) {
      world.reached(`result: ${status}${reason === null ? '' : ` ${reason}`}`);
    }
    return { evidence, again, branches: world.branches, fakeMs: timeline.nowMs - START_MS };
  }

  /** Runs every day once more. */
  private async runAgain(people: FinancePeople): Promise<Books> {
    await this.during(() => people.act('run all'));
    return readEveryRow(this.server);
  }

  /** Lets time pass. */
  private async until(atMs: number): Promise<void> {
    const { timeline } = this.world;
    const come = { isTrue: timeline.nowMs >= atMs };
    timeline.at(atMs, () => {
      come.isTrue = true;
    });
    while (!come.isTrue && (await this.step())) {
      // Each step is one event.
    }
  }

  /** Lets time pass until a piece of work is done. */
  private async during<T>(work: () => Promise<T>): Promise<T> {
    const done = { isTrue: false };
    const working = work().finally(() => {
      done.isTrue = true;
    });
    working.catch(() => undefined);
    for (let idle = 0; !done.isTrue && idle < IDLE_MAX;) {
      idle = (await this.step()) ? 0 : idle + 1;
    }
    if (!done.isTrue) {
      throw new Error('the story waits for what never comes');
    }
    return working;
  }

  private async step(): Promise<boolean> {
    const hasStepped = await this.world.timeline.step();
    await settled();
    await this.server.idle();
    return hasStepped;
  }
}
