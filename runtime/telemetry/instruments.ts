import type { BatchObservableResult, Meter, ObservableGauge } from '@opentelemetry/api';
import type { Counter, Duration, Gauge, Reading, Telemetry } from '../telemetry.ts';

const COUNTERS = {
  'lenden.payments.ended': 'Payments that reached a final status, by status and mode',
  'lenden.webhook.attempts': 'Webhook delivery attempts, by outcome',
  'lenden.sweeper.actions': 'Items that the sweeper resumed, by kind',
} as const satisfies Record<Counter, string>;

const DURATIONS = {
  'http.server.request.duration': 'HTTP requests, by route and status',
  'lenden.gateway.call.duration': 'Operations at a gateway, by gateway, operation and outcome',
} as const satisfies Record<Duration, string>;

const GAUGES = {
  'lenden.payments.open': { description: 'Payments that are CREATED or PENDING', unit: '{payment}' },
  'lenden.payments.review': { description: 'Payments under review', unit: '{payment}' },
  'lenden.unapplied_payments.held': { description: 'Unapplied payments held in suspense', unit: '{charge}' },
  'lenden.unapplied_payments.held_minor': {
    description: 'Amount of unapplied payments in suspense, in minor units',
    unit: '1',
  },
  'lenden.ledger.unsealed_age': { description: 'Age of the oldest ledger transaction without a seal', unit: 's' },
} as const satisfies Record<Gauge, { description: string; unit: string }>;

/** Histogram boundaries in seconds, up to the longest wait for a gateway. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30];

/** Returns the metrics of a process. Their names are a published contract: dashboards use them. */
export function createInstruments(meter: Meter): Pick<Telemetry, 'count' | 'time' | 'readGauges'> {
  const counters = mapOf(COUNTERS, (name, description) => meter.createCounter(name, { description }));
  const durations = mapOf(DURATIONS, (name, description) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: BOUNDARIES } }),
  );
  const gauges = mapOf(GAUGES, (name, options) => meter.createObservableGauge(name, options));
  return {
    count: (counter, attributes, by = 1) => counters.get(counter)?.add(by, attributes),
    time: (duration, ms, attributes) => durations.get(duration)?.record(ms / 1_000, attributes),
    readGauges: (read) =>
      meter.addBatchObservableCallback((result) => observe(result, gauges, read), [...gauges.values()]),
  };
}

async function observe(
  result: BatchObservableResult,
  gauges: ReadonlyMap<string, ObservableGauge>,
  read: () => Promise<readonly Reading[]>,
): Promise<void> {
  for (const { gauge, value, attributes } of await read().catch(() => [])) {
    const instrument = gauges.get(gauge);
    if (instrument !== undefined) {
      result.observe(instrument, value, attributes);
    }
  }
}

function mapOf<Value, Instrument>(
  definitions: Readonly<Record<string, Value>>,
  create: (name: string, value: Value) => Instrument,
): ReadonlyMap<string, Instrument> {
  return new Map(Object.entries(definitions).map(([name, value]) => [name, create(name, value)]));
}
