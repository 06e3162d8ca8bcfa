import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startMeasuredStack } from './measured-stack.ts';
import { registerShop, type Shop } from './shop.ts';
import { quantile } from './statistics.ts';
import type { Findings, Suite } from './suite.ts';

const WARM_UP = 20;
const EXPORT_MAX_MS = 15_000;

const Nanoseconds = z.string().transform((text) => Number(BigInt(text) / 1_000n) / 1_000);
const Span = z.object({
  traceId: z.string(),
  name: z.string(),
  startTimeUnixNano: Nanoseconds,
  endTimeUnixNano: Nanoseconds,
});
const Traces = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(Span) })) })),
});

/** Names of the product's own spans, each nested in the previous one. */
const NESTED = [
  'native POST /payments',
  'UpdateWithStartWorkflow:checkout-opened',
  'RunActivity:openCheckout',
  'gateway openSession',
] as const;
type Nested = (typeof NESTED)[number];

/** What remains of a span without the one nested in it. */
const SHARES: readonly { readonly what: string; readonly of: Nested; readonly without: Nested | null }[] = [
  {
    what: "API: HTTP, checks, three trips to Postgres before and after (caller, payment's row and key, row again), stored answer",
    of: NESTED[0],
    without: NESTED[1],
  },
  { what: 'Temporal and the worker: start, workflow task, update', of: NESTED[1], without: NESTED[2] },
  { what: 'the activity: two trips to Postgres (read, record the session)', of: NESTED[2], without: NESTED[3] },
  { what: 'the gateway: opening a session over HTTP', of: NESTED[3], without: null },
];

/** Shows where the time of one `POST /payments` goes, using the product's own traces. */
export const postProfile: Suite = {
  name: 'post-profile',
  what: 'where the time of POST /payments goes, by traces',
  minutes: { full: 1, quick: 1 },
  async run({ quick, say, keep }) {
    const collector = await startSpanCollector();
    keep(collector.close);
    const stack = await startMeasuredStack({
      say,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '500' },
    });
    keep(stack.stop);
    const shop = await registerShop({
      databaseUrl: stack.dev.databaseUrl,
      directory: stack.directory,
      webhookUrl: null,
    });
    await stack.pauseLoops();
    const count = quick ? 40 : 200;
    for (let n = 0; n < WARM_UP + count; n += 1) {
      await create(stack.dev.api, shop);
      await sleep(5);
    }
    const requests = await collector.complete(WARM_UP + count);
    return findingsOf(requests.slice(WARM_UP));
  },
};

async function create(api: string, { apiKey, apiSecret }: Shop): Promise<void> {
  const response = await fetch(`${api}/payments`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      'x-api-key': apiKey,
      'x-api-secret': apiSecret,
    },
    body: JSON.stringify({ amountMinor: 10_000, currency: 'BDT', customerReference: 'profile' }),
  });
  await response.text();
  if (response.status !== 201) {
    throw new Error(`POST /payments answered ${response.status}`);
  }
}

type Request = ReadonlyMap<Nested, number>;

interface SpanCollector {
  readonly url: string;
  /** Requests for which every nested span has arrived, as durations in milliseconds, in the order in which they began. */
  complete(count: number): Promise<Request[]>;
  close(): Promise<void>;
}

async function startSpanCollector(): Promise<SpanCollector> {
  const traces = new Map<string, { startedMs: number; spans: Map<Nested, number> }>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') {
        keepSpans(traces, JSON.parse(Buffer.concat(chunks).toString('utf8')));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const whole = (): Request[] =>
    [...traces.values()]
      .filter(({ spans }) => spans.size === NESTED.length)
      .sort((a, b) => a.startedMs - b.startedMs)
      .map(({ spans }) => spans);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async complete(count) {
      for (const deadline = Date.now() + EXPORT_MAX_MS; whole().length < count && Date.now() < deadline;) {
        await sleep(100);
      }
      return whole();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function keepSpans(traces: Map<string, { startedMs: number; spans: Map<Nested, number> }>, body: unknown): void {
  const spans = Traces.parse(body).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  );
  for (const { traceId, name, startTimeUnixNano: startedMs, endTimeUnixNano: endedMs } of spans) {
    const nested = NESTED.find((known) => known === name);
    if (nested !== undefined) {
      const trace = traces.get(traceId) ?? { startedMs, spans: new Map<Nested, number>() };
      trace.spans.set(nested, endedMs - startedMs);
      traces.set(traceId, trace);
    }
  }
}

function findingsOf(requests: readonly Request[]): Findings {
  const shares = SHARES.map(({ what, of, without }) => {
    const values = requests.map((spans) => (spans.get(of) ?? 0) - (without === null ? 0 : (spans.get(without) ?? 0)));
    return { what, p50Ms: quantile(values, 0.5), p90Ms: quantile(values, 0.9) };
  });
  const whole = quantile(
    requests.map((spans) => spans.get(NESTED[0]) ?? 0),
    0.5,
  );
  return {
    order: 31,
    title: 'Where the time of POST /payments goes',
    summary: [
      `${requests.length} requests of one client, one after the other, with traces on: ${whole.toFixed(1)} ms at the median. A bare update-with-start has the second line, and one insert; the others are what the product does beside it.`,
    ],
    tables: [
      {
        caption: 'Medians of the parts',
        columns: ['part', 'p50 ms', 'p90 ms', 'share of the whole'],
        rows: shares.map(({ what, p50Ms, p90Ms }) => [
          what,
          p50Ms.toFixed(1),
          p90Ms.toFixed(1),
          `${((100 * p50Ms) / whole).toFixed(0)} %`,
        ]),
      },
    ],
    data: { requests: requests.length, wholeP50Ms: whole, shares },
  };
}
