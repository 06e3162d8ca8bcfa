import type pg from 'pg';
import type { MeasuredStack } from '../measured-stack.ts';
import type { Contracts } from './contracts.ts';
import type { FlowCounts, StepCounts } from './flow-counts.ts';
import type { Flow } from './flows.ts';
import type { GatewayCounter } from './gateway-counter.ts';
import { countHistories, listWorkflows, untilEnded } from './histories.ts';
import { medianOf } from './medians.ts';
import { forgetStatements, readStatements, untilQuiet, walPosition } from './statements.ts';

export interface CountingGround {
  readonly stack: MeasuredStack;
  readonly contracts: Contracts;
  readonly gateway: GatewayCounter;
  /** Resolves when that many further events have arrived. */
  readonly nextWebhooks: (count: number) => Promise<void>;
}

interface Runs {
  readonly runs: number;
  readonly warmUp: number;
}

/** Few runs, for a test: counts hardly vary. */
export function fewRuns({ slow = false }: Flow): Runs {
  return slow ? { runs: 1, warmUp: 1 } : { runs: 3, warmUp: 1 };
}

export function manyRuns({ slow = false }: Flow): Runs {
  return slow ? { runs: 3, warmUp: 1 } : { runs: 9, warmUp: 3 };
}

/**
 * Runs a flow several times, one after the other, on a stack that does nothing else. Returns the median of each count, but the minimum for
 * histories. The first runs only warm caches.
 */
export async function measureFlow(ground: CountingGround, flow: Flow, { runs, warmUp }: Runs): Promise<FlowCounts> {
  for (let number = 0; number < warmUp; number += 1) {
    await countFlow(ground, flow);
  }
  const counted: FlowCounts[] = [];
  for (let number = 0; number < runs; number += 1) {
    counted.push(await countFlow(ground, flow));
  }
  return medianOf(counted);
}

/** Counts each step of one run, and the histories of the workflows that began in one. */
export async function countFlow(ground: CountingGround, flow: Flow): Promise<FlowCounts> {
  const { stack, gateway, nextWebhooks } = ground;
  const { database, temporal } = stack;
  const steps: Record<string, StepCounts> = {};
  let earlier: ReadonlySet<string> | undefined;
  await flow.run({
    contracts: ground.contracts,
    dev: stack.dev,
    nextWebhooks,
    async step(name, work, { webhooks = 0 } = {}) {
      if (earlier === undefined) {
        earlier = new Set((await listWorkflows(temporal)).map(({ runId }) => runId));
        await untilQuiet(database);
      }
      const { result, counts } = await countStep({ database, gateway }, async () => {
        const arrived = nextWebhooks(webhooks);
        const done = await work();
        await arrived;
        await untilEnded(temporal, 'webhook');
        return done;
      });
      steps[name] = counts;
      return result;
    },
  });
  const begun = (await untilEnded(temporal)).filter(({ runId }) => earlier?.has(runId) === false);
  begun.sort((a, b) => a.kind.localeCompare(b.kind));
  return { steps, workflows: await countHistories(temporal, begun) };
}

/** Runs `work` on a quiet database and returns its cost, once everything that it caused has finished. */
export async function countStep<T>(
  { database, gateway }: { database: pg.Pool; gateway: GatewayCounter },
  work: () => Promise<T>,
): Promise<{ result: T; counts: StepCounts }> {
  await forgetStatements(database);
  gateway.take();
  const before = await walPosition(database);
  const result = await work();
  await untilQuiet(database);
  const walBytes = Number((await walPosition(database)) - before);
  return { result, counts: { statements: await readStatements(database), walBytes, gatewayCalls: gateway.take() } };
}
