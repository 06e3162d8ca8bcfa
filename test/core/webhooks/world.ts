import { createEndpointGate } from '../../../core/webhooks/endpoint-gate.ts';
import { registerApplication, updateApplication } from '../../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../../database/connection.ts';
import type { CommittedEvent } from '../../../core/webhooks/deliveries.ts';
import { recordEvent, type RecordedEvent } from '../../../core/webhooks/store/events.ts';
import { createWebhookActivities } from '../../../activities/webhooks.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import type { Mode } from '../../../domain/mode.ts';
import { paymentReference } from '../../../domain/references.ts';
import { createHttpClient, type HttpClient } from '../../../runtime/http-client.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import type { DeliverWebhookInput, WebhookActivities } from '../../../workflows/messages/webhook.ts';
import { createTestDatabase } from '../../support/database.ts';

export const secretBox = createSecretBox(`test:${Buffer.alloc(32, 7).toString('base64')}`);
export const allow = parseAllowList('127.0.0.1:*');

export interface App {
  readonly applicationId: bigint;
  /** The signing secret of LIVE. */
  readonly signingSecret: string;
  readonly testSigningSecret: string;
}

/** A database with Lenden's webhook code, and a clock that tests control. */
export interface World {
  readonly database: Database;
  readonly http: HttpClient;
  readonly activities: WebhookActivities;
  /** The parsed log lines. */
  readonly log: Record<string, unknown>[];
  readonly clock: { offsetMs: number; read: (() => number) | null };
  app(url: string | null): Promise<App>;
  setUrl(app: App, url: string | null): Promise<void>;
  /** Writes a payment and its event. Returns the input of the first delivery attempt. */
  event(app: App, data?: object, mode?: Mode): Promise<DeliverWebhookInput>;
  /** Writes a payment and its event. Returns what its process has after the commit. */
  committed(app: App): Promise<CommittedEvent>;
  /** Returns all rows of a query, as the database owner. */
  rows(sql: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const test = await createTestDatabase();
  const database = await openDatabase({ url: test.url });
  const http = createHttpClient({ guard: 'public-only', allow, socketsPerOrigin: 64 });
  const log: Record<string, unknown>[] = [];
  const clock: World['clock'] = { offsetMs: 0, read: null };
  const now = (): number => clock.read?.() ?? Date.now() + clock.offsetMs;
  const rows: World['rows'] = (sql, parameters = []) => database.withSystem((em) => em.execute(sql, [...parameters]));
  return {
    database,
    http,
    log,
    clock,
    rows,
    activities: createWebhookActivities({
      database,
      http,
      secrets: secretBox,
      allow,
      log: recordingLogger(log),
      now,
      gate: createEndpointGate({ now }),
    }),
    app: (url) => registerApplication({ database, secrets: secretBox }, { name: 'Shop', webhookUrl: url }),
    setUrl: ({ applicationId }, webhookUrl) => updateApplication({ database }, { applicationId, webhookUrl }),
    async event(app, data = { amountMinor: 10_000 }, mode = 'TEST') {
      const { eventId } = (await newEvent(database, { app, data, mode })).recorded;
      return { eventId, applicationId: app.applicationId.toString(), mode, attempt: 1, recorded: null, resend: false };
    },
    async committed(app) {
      const scope = { applicationId: app.applicationId, mode: 'TEST' } as const;
      const { recorded, reference } = await newEvent(database, { app, data: { amountMinor: 10_000 }, mode: 'TEST' });
      return { ...scope, type: 'payment.succeeded', reference, eventId: recorded.eventId, first: recorded.first };
    },
    async close() {
      await http.close();
      await database.close();
      await test.drop();
    },
  };
}

interface NewEvent {
  readonly app: App;
  readonly data: object;
  readonly mode: Mode;
}

async function newEvent(
  database: Database,
  { app: { applicationId }, data, mode }: NewEvent,
): Promise<{ readonly recorded: RecordedEvent; readonly reference: string }> {
  const reference = paymentReference();
  const recorded = await database.withScope({ applicationId, mode }, async (em) => {
    const [payment] = await em.execute<{ id: string }[]>(
      `insert into payments (application_id, mode, reference, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at)
       values (?::bigint, ?, ?, 10000, 'BDT', 'customer', 'sslcommerz', now(), now()) returning id`,
      [applicationId, mode, reference],
    );
    return recordEvent(em, {
      applicationId,
      mode,
      paymentId: BigInt(payment?.id ?? 0),
      type: 'payment.succeeded',
      sequence: 1,
      data: { id: Number(payment?.id), ...data },
    });
  });
  return { recorded, reference };
}

export function recordingLogger(lines: Record<string, unknown>[]): ReturnType<typeof createLogger> {
  const logger = createLogger({ service: 'test', level: 'silent' });
  const write = (fields: unknown, message?: string): void => {
    lines.push({ ...(typeof fields === 'object' ? fields : {}), msg: message });
  };
  return Object.assign(logger, { info: write, warn: write, error: write });
}
