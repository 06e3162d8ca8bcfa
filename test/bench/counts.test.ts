import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { overBudget, readBudgets } from '../../bench/counts/budgets.ts';
import { FLOWS, NATIVE, type Flow } from '../../bench/counts/flows.ts';
import { startCountingGround } from '../../bench/counts/ground.ts';
import { countFlow, fewRuns, measureFlow } from '../../bench/counts/measure.ts';
import { createTestNamespace } from '../support/temporal.ts';
import { testServers } from '../support/test-servers.ts';

let ground: Awaited<ReturnType<typeof startCountingGround>>;

beforeAll(async () => {
  ground = await startCountingGround({
    environment: {
      TEMPORAL_ADDRESS: testServers().temporalAddress,
      TEMPORAL_NAMESPACE: await createTestNamespace(),
    },
    say: () => undefined,
  });
});

afterAll(() => ground.stop());

describe('a flow without errors', () => {
  test.each(FLOWS)(
    'costs no more than bench/budgets.json allows: $what',
    async (flow) => {
      // The cost of a payment must not rise unnoticed. To accept new counts, run `npm run bench -- counts --accept`.
      const counts = await measureFlow(ground, flow, fewRuns(flow));
      expect(overBudget(counts, readBudgets()[flow.name])).toEqual([]);
    },
    120_000,
  );

  test('is measured if it has a budget', () => {
    // A budget that nothing is compared with would look like a guard.
    expect(Object.keys(readBudgets())).toEqual(FLOWS.map(({ name }) => name));
  });
});

describe('a cost that was added', () => {
  /** Sends one more statement as the api, one more signal to the workflow, and one more call to the gateway. */
  const planted: Flow = {
    ...NATIVE,
    run: (stage) =>
      NATIVE.run({
        ...stage,
        step: (name, work, ends) =>
          stage.step(
            name,
            async () => {
              const result = await work();
              await (name === 'create' ? plantOne() : undefined);
              return result;
            },
            ends,
          ),
      }),
  };

  async function plantOne(): Promise<void> {
    const { database, temporal } = ground.stack;
    const client = await database.connect();
    await client.query('set role lenden_app');
    await client.query('select count(*) as planted from gateway_callbacks');
    await client.query('reset role');
    client.release();
    await fetch(`${ground.gateway.url}/v1/planted`);
    for await (const { workflowId } of temporal.workflow.list({ query: `ExecutionStatus = 'Running'` })) {
      await temporal.workflow.getHandle(workflowId).signal('planted');
    }
  }

  test('is named: the statement with its text, the gateway’s path, the kind of workflow', async () => {
    // Whoever sees the check fail must see what they added.
    const over = overBudget(await countFlow(ground, planted), readBudgets()[NATIVE.name]);
    expect(over).toContainEqual(expect.stringMatching(/^create: \d+ working SQL statements, budget \d+$/));
    expect(over).toContainEqual(
      expect.stringMatching(
        /^create: 1 instead of 0 × select from gateway_callbacks [0-9a-f]{8}: select count\(\*\) as planted from gateway_callbacks$/,
      ),
    );
    expect(over).toContain('create: gateway called 1 instead of 0 × GET /v1/planted');
    expect(over).toContainEqual(expect.stringMatching(/^payment workflow: \d+ events, budget \d+$/));
  }, 60_000);
});
