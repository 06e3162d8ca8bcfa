import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const AttributeList = z
  .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]])));

const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes: AttributeList,
  status: z.object({ code: z.number().optional() }).optional(),
});
export type CollectedSpan = z.infer<typeof Span>;

const Traces = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: AttributeList }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
});

const Points = z.object({
  dataPoints: z.array(
    z.object({
      attributes: AttributeList,
      asDouble: z.number().optional(),
      asInt: z.union([z.number(), z.string()]).optional(),
      count: z.union([z.number(), z.string()]).optional(),
    }),
  ),
});
const Metrics = z.object({
  resourceMetrics: z.array(
    z.object({
      scopeMetrics: z.array(
        z.object({
          metrics: z.array(
            z.object({
              name: z.string(),
              sum: Points.optional(),
              gauge: Points.optional(),
              histogram: Points.optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

export interface CollectedPoint {
  readonly metric: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
}

/** A small OpenTelemetry collector that keeps what it receives, as text and parsed. */
export interface Collector {
  readonly url: string;
  readonly spans: CollectedSpan[];
  readonly points: CollectedPoint[];
  /** Every body as received. Binary bodies are read as Latin-1. */
  readonly bodies: string[];
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const collected = { spans: [], points: [], bodies: [] } satisfies Pick<Collector, 'spans' | 'points' | 'bodies'>;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      take(collected, {
        path: request.url ?? '',
        type: request.headers['content-type'] ?? '',
        body: Buffer.concat(chunks),
      });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    ...collected,
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function take(
  collected: { spans: CollectedSpan[]; points: CollectedPoint[]; bodies: string[] },
  { path, type, body }: { path: string; type: string; body: Buffer },
): void {
  collected.bodies.push(body.toString('latin1'));
  if (!type.includes('json')) {
    return;
  }
  const json: unknown = JSON.parse(body.toString('utf8'));
  if (path === '/v1/traces') {
    const { resourceSpans } = Traces.parse(json);
    collected.spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
  }
  if (path === '/v1/metrics') {
    for (const { scopeMetrics } of Metrics.parse(json).resourceMetrics) {
      for (const { name, sum, gauge, histogram } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
        for (const { attributes, asDouble, asInt, count } of (sum ?? gauge ?? histogram)?.dataPoints ?? []) {
          collected.points.push({ metric: name, attributes, value: Number(asDouble ?? asInt ?? count) });
        }
      }
    }
  }
}
