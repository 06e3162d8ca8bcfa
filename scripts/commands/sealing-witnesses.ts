import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { z } from 'zod';
import type { Witness } from '../../core/ledger/verify/verify-chain.ts';
import { connectionOptionsOf, type TemporalServer } from '../../runtime/temporal-server.ts';
import { LOOP_IDS, WORKFLOW_TYPES } from '../../workflows/messages/names.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** The runs that began or ended within this time are read whole. */
const RECENT_MS = 24 * 3_600_000;
const RUNS_MAX = 100_000;
const EVENTS_PER_PAGE = 1_000;
const READS_AT_ONCE = 4;
/** `HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT`: only the last event of a run that has ended. */
const LAST_EVENT = 2;

const Head = z.object({
  sealId: z.string().regex(/^\d{1,19}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
/** What a pass recorded. One that found its head missing only repeats that head, which must not look newer than a restore. */
const Pass = Head.extend({ headLost: z.undefined().optional() });
/** What one run hands over to the next. */
const Handover = z.object({ head: Head.extend({ recordedAt: z.iso.datetime() }) });

export interface WitnessQuestion extends TemporalServer {
  /**
   * False reads a sample: each pass of a day, and before that one head for each run of the sealer, which lasts some hours, for as long as Temporal keeps
   * workflows. True reads every pass for as long as Temporal keeps workflows.
   */
  readonly all: boolean;
}

/** Returns the different heads that the sealer has recorded, each when it was recorded last. Throws if Temporal cannot be reached. */
export async function sealingWitnesses({ namespace, all, ...server }: WitnessQuestion): Promise<Witness[]> {
  const connection = await Connection.connect({ ...connectionOptionsOf(server), connectTimeout: CONNECT_TIMEOUT_MS });
  try {
    const client = new Client({ connection, namespace });
    const runs = await sealingRuns(client);
    const recentFromMs = Date.now() - RECENT_MS;
    const witnesses: Witness[] = [];
    for (let start = 0; start < runs.length; start += READS_AT_ONCE) {
      const read = await Promise.all(
        runs
          .slice(start, start + READS_AT_ONCE)
          .map((run) => headsOf(client, { ...run, whole: all || run.endedAtMs > recentFromMs })),
      );
      witnesses.push(...read.flat());
    }
    return latestOfEach(witnesses);
  } finally {
    await connection.close();
  }
}

interface Run {
  readonly workflowId: string;
  readonly runId: string;
  /** Infinity while it runs. */
  readonly endedAtMs: number;
}

async function sealingRuns(client: Client): Promise<Run[]> {
  const runs = new Map<string, Run>();
  // The newest run is asked for directly, since it is listed a moment after it has begun.
  const newest = await client.workflow
    .getHandle(LOOP_IDS.sealLedger)
    .describe()
    .catch(() => null);
  const listed = client.workflow.list({ query: `WorkflowType = '${WORKFLOW_TYPES.sealLedger}'`, pageSize: 1_000 });
  for await (const { workflowId, runId, closeTime } of listed) {
    runs.set(runId, { workflowId, runId, endedAtMs: closeTime?.getTime() ?? Infinity });
    if (runs.size === RUNS_MAX) {
      break;
    }
  }
  if (newest !== null) {
    const { workflowId, runId, closeTime } = newest;
    runs.set(runId, { workflowId, runId, endedAtMs: closeTime?.getTime() ?? Infinity });
  }
  return [...runs.values()];
}

/** Reads the last event of a run that has ended; if it hands over no head, because someone ended the run, the whole run. */
async function headsOf(client: Client, { whole, ...run }: Run & { readonly whole: boolean }): Promise<Witness[]> {
  const last = whole ? [] : await eventsOf(client, { ...run, historyEventFilterType: LAST_EVENT });
  const heads = last.flatMap((event) => headsIn(event, run));
  return heads.length > 0 ? heads : (await eventsOf(client, run)).flatMap((event) => headsIn(event, run));
}

type HistoryEvent = NonNullable<History['events']>[number];

async function eventsOf(
  client: Client,
  { workflowId, runId, historyEventFilterType }: Run & { readonly historyEventFilterType?: number },
): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: EVENTS_PER_PAGE,
      ...(historyEventFilterType === undefined ? {} : { historyEventFilterType }),
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    });
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0);
  return events;
}

/** A pass of the sealer is a local activity, whose result Temporal keeps as a marker. The input of a run is the last head of the run before. */
function headsIn(event: HistoryEvent, { workflowId }: Run): Witness[] {
  const source = `workflow ${workflowId}`;
  const { markerRecordedEventAttributes: marker, workflowExecutionContinuedAsNewEventAttributes: next } = event;
  const begun = event.workflowExecutionStartedEventAttributes;
  const result = Pass.safeParse(valueOf(marker?.details?.['result']?.payloads));
  if (result.success) {
    const at = event.eventTime;
    return witness({
      ...result.data,
      source,
      ...(at === null || at === undefined ? {} : { at: new Date(tsToMs(at)) }),
    });
  }
  const handover = Handover.safeParse(valueOf((next ?? begun)?.input?.payloads));
  if (handover.success) {
    const { recordedAt, ...head } = handover.data.head;
    return witness({ ...head, source, at: new Date(recordedAt) });
  }
  return [];
}

function valueOf(payloads: readonly Payload[] | null | undefined): unknown {
  const payload = payloads?.[0];
  return payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);
}

/** An empty ledger has no seal. */
function witness({ sealId, ...remembered }: Omit<Witness, 'sealId'> & { readonly sealId: string }): Witness[] {
  return sealId === '0' ? [] : [{ ...remembered, sealId: BigInt(sealId) }];
}

/** A head is recorded again by every pass that finds nothing to seal. After a restore, only its last record can be compared. */
function latestOfEach(witnesses: readonly Witness[]): Witness[] {
  const latest = new Map<string, Witness>();
  for (const remembered of witnesses) {
    const key = `${remembered.sealId} ${remembered.hash}`;
    const before = latest.get(key);
    if (before === undefined || (before.at?.getTime() ?? Infinity) < (remembered.at?.getTime() ?? Infinity)) {
      latest.set(key, remembered);
    }
  }
  return [...latest.values()];
}
