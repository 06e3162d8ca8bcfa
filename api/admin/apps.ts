import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  changeApplication,
  insertApplication,
  prepareRegistration,
} from '../../core/applications/store/applications.ts';
import {
  enableEndpoint,
  listApplications,
  readApplication,
  setApplicationStatus,
  type ApplicationRow,
} from '../../core/applications/store/administration.ts';
import { recordAudit, type AuditFact, type AuditFacts } from '../../core/operators/store/audit.ts';
import { waitingChanges, type PendingChange } from '../../core/operators/store/pending-changes.ts';
import { isGuarded } from '../../core/operators/store/second-person.ts';
import type { EntityManager } from '../../database/connection.ts';
import { rotateSigningSecret } from '../../core/webhooks/store/signing-secrets.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { checkOutboundUrl, OUTBOUND_URL_REFUSALS } from '../../domain/outbound-url.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import {
  Application,
  ApplicationSettings,
  ApplicationsQuery,
  EnableEndpointQuery,
  GUARDED_SETTINGS,
  RegisterApplication,
  RegisteredApplication,
  RotatedSigningSecret,
  RotateSigningSecret,
} from './app-schemas.ts';
import type { OperatorCaller } from './caller.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { outdated, propose } from './propose.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Applications';

/** Returns the routes for applications and their settings. A secret appears only in the response that creates it. */
export function applicationRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    list(deps),
    register(deps),
    read(deps),
    changeSettings(deps),
    setStatus(deps, 'ACTIVE'),
    setStatus(deps, 'DISABLED'),
    rotateSigning(deps),
    reenableEndpoint(deps),
  ];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/apps',
    operationId: 'listApplications',
    tag: TAG,
    summary: 'List applications',
    permission: 'app:read',
    query: ApplicationsQuery,
    response: { status: 200, schema: z.array(Application), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { status, name } = query;
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, async (em) => {
        const page = await listApplications(em, { status, name, slice });
        return { ...page, rows: await viewsOf(em, page.rows) };
      });
      return { status: 200, data: rows, pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function register(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/apps',
    operationId: 'registerApplication',
    tag: TAG,
    summary: 'Create an application with a credential and a signing secret for each mode',
    permission: 'app:manage',
    everyApp: true,
    body: RegisterApplication,
    response: { status: 201, schema: RegisteredApplication },
    errors: [],
    links: {
      readApplication: { operationId: 'getApplication', parameters: { id: '$response.body#/data/application/id' } },
    },
    handler: async ({ caller, body }) => {
      checkSettings(deps, body);
      const prepared = await prepareRegistration();
      const settings = { ...settingsOf(body), name: body.name };
      const { application, made } = await deps.database.withOperator(caller.view, async (em) => {
        const registered = await insertApplication(em, deps.secrets, { prepared, settings });
        const { applicationId } = registered;
        const row = await readApplication(em, applicationId);
        await audit(em, { caller, applicationId, action: 'application.registered', after: factsOf(row) });
        return { application: await viewOf(em, row), made: registered };
      });
      return {
        status: 201,
        data: {
          application,
          credentials: {
            testApiKey: made.test.apiKey,
            testApiSecret: made.test.apiSecret,
            liveApiKey: made.live.apiKey,
            liveApiSecret: made.live.apiSecret,
            signingSecret: made.signingSecret,
            testSigningSecret: made.testSigningSecret,
          },
        },
        message: 'Resource created',
      };
    },
  });
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/apps/{id}',
    operationId: 'getApplication',
    tag: TAG,
    summary: 'Retrieve an application',
    permission: 'app:read',
    params: IdParams,
    response: { status: 200, schema: Application },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) =>
        viewOf(em, await readApplication(em, params.id)),
      ),
    }),
  });
}

function changeSettings(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PATCH',
    path: '/admin/apps/{id}/settings',
    operationId: 'updateApplicationSettings',
    tag: TAG,
    summary: 'Update an application’s settings',
    description: `Omitted settings stay unchanged; null removes a value. A new webhookUrl or testWebhookUrl also re-enables its endpoints. Once the application has a threshold, a change to ${GUARDED_SETTINGS.join(', ')} stays in pendingChanges until another operator confirms it.`,
    permission: 'app:manage',
    sensitive: true,
    params: IdParams,
    body: ApplicationSettings,
    response: { status: 200, schema: Application },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        const applicationId = params.id;
        const guarded = await isGuarded(em, applicationId);
        const before = await readApplication(em, applicationId);
        checkSettings(deps, body, before);
        const { atOnce, waiting } = guarded ? partedSettings(body, before) : { atOnce: body, waiting: null };
        if (waiting === null || Object.keys(atOnce).length > 0) {
          await writeSettings(em, { caller, before, settings: atOnce });
        }
        if (waiting !== null) {
          await propose(em, caller, {
            applicationId,
            mode: null,
            kind: 'application-settings',
            target: { type: 'application', id: applicationId.toString() },
            ...waiting,
          });
        }
        return viewOf(em, await readApplication(em, applicationId));
      }),
    }),
  });
}

/** Splits settings into those that apply at once and those that need a second operator. A guarded setting that keeps its value does not wait. */
function partedSettings(
  settings: ApplicationSettings,
  row: ApplicationRow,
): { atOnce: ApplicationSettings; waiting: { before: AuditFacts; after: AuditFacts } | null } {
  const present = applicationView(row);
  const changing = GUARDED_SETTINGS.filter(
    (name) => settings[name] !== undefined && !isDeepStrictEqual(given(settings, name), present[name]),
  );
  const atOnce: ApplicationSettings = Object.fromEntries(
    Object.entries(settings).filter(([name]) => !changing.some((guarded) => guarded === name)),
  );
  const pick = (from: (name: GuardedSetting) => AuditFact): AuditFacts =>
    Object.fromEntries(changing.map((name) => [name, from(name)]));
  const waiting = { before: pick((name) => present[name]), after: pick((name) => given(settings, name)) };
  return { atOnce, waiting: changing.length === 0 ? null : waiting };
}

type GuardedSetting = (typeof GUARDED_SETTINGS)[number];

function given(settings: ApplicationSettings, name: GuardedSetting): AuditFact {
  return name === 'refundApprovalThresholds'
    ? minorByCurrency(settings.refundApprovalThresholds ?? {})
    : (settings[name] ?? null);
}

interface SettingsChange {
  readonly caller: OperatorCaller;
  readonly before: ApplicationRow;
  readonly settings: ApplicationSettings;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function writeSettings(
  em: EntityManager,
  { caller, before, settings, proposedBy }: SettingsChange,
): Promise<void> {
  const applicationId = BigInt(before.id);
  await changeApplication(em, { ...settingsOf(settings), applicationId });
  const after = factsOf(await readApplication(em, applicationId));
  await audit(em, {
    caller,
    applicationId,
    action: 'application.settings-changed',
    before: factsOf(before),
    after: { ...after, ...(proposedBy === undefined ? {} : { proposedBy }) },
  });
}

/**
 * Applies settings that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError INVALID_OPERATION_STATE when one of them is not what it was when the change was proposed
 */
export async function confirmSettings(
  em: EntityManager,
  deps: AdminDependencies,
  { caller, change }: { caller: OperatorCaller; change: PendingChange },
): Promise<void> {
  const applicationId = change.applicationId ?? 0n;
  await isGuarded(em, applicationId);
  const before = await readApplication(em, applicationId);
  const present: Readonly<Record<string, unknown>> = applicationView(before);
  if (Object.entries(change.before).some(([name, was]) => !isDeepStrictEqual(present[name], was))) {
    throw outdated();
  }
  const settings = ApplicationSettings.parse(change.after);
  checkSettings(deps, settings, before);
  await writeSettings(em, { caller, before, settings, proposedBy: change.proposedBy });
}

function setStatus(deps: AdminDependencies, status: 'ACTIVE' | 'DISABLED'): AdminRoute {
  const enable = status === 'ACTIVE';
  return adminRoute({
    method: 'POST',
    path: `/admin/apps/{id}/${enable ? 'enable' : 'disable'}`,
    operationId: enable ? 'enableApplication' : 'disableApplication',
    tag: TAG,
    summary: enable ? 'Enable an application' : 'Disable an application and reject its credentials immediately',
    permission: 'app:manage',
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: Application },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        await setApplicationStatus(em, params.id, status);
        const action = enable ? 'application.enabled' : 'application.disabled';
        await audit(em, { caller, applicationId: params.id, action, after: { status } });
        return viewOf(em, await readApplication(em, params.id));
      }),
    }),
  });
}

function rotateSigning(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/apps/{id}/signing-secret/rotate',
    operationId: 'rotateSigningSecret',
    tag: TAG,
    summary: 'Rotate the signing secret of one mode',
    description:
      'During the overlap, deliveries are signed with both secrets. At most two previous secrets can overlap with the current one; another rotation with an overlap returns 409.',
    permission: 'app:manage',
    sensitive: true,
    params: IdParams,
    body: RotateSigningSecret,
    response: { status: 200, schema: RotatedSigningSecret },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        const rotated = await rotateSigningSecret(em, deps.secrets, { applicationId: params.id, ...body });
        const { mode, signingSecret, previousSecretExpiresAt } = rotated;
        const after = { mode, previousSecretExpiresAt, revokedFormer: body.revokeFormer };
        await audit(em, { caller, applicationId: params.id, action: 'signing-secret.rotated', after });
        return { mode, signingSecret, previousSecretExpiresAt: previousSecretExpiresAt.toISOString() };
      }),
    }),
  });
}

function reenableEndpoint(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/apps/{id}/webhook-endpoint/enable',
    operationId: 'enableWebhookEndpoint',
    tag: TAG,
    summary: 'Re-enable a disabled webhook endpoint',
    permission: 'app:manage',
    params: IdParams,
    query: EnableEndpointQuery,
    response: { status: 200, schema: Application },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, query: { mode } }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        await enableEndpoint(em, { applicationId: params.id, mode });
        const after = { mode: mode ?? null };
        await audit(em, { caller, applicationId: params.id, action: 'webhook-endpoint.enabled', after });
        return viewOf(em, await readApplication(em, params.id));
      }),
    }),
  });
}

/** Rejects bounds that exclude every amount and URLs that no delivery can reach, so that the error appears before the first payment. */
function checkSettings(deps: AdminDependencies, settings: ApplicationSettings, before?: ApplicationRow): void {
  for (const field of ['webhookUrl', 'testWebhookUrl'] as const) {
    const url = settings[field];
    const checked = typeof url === 'string' ? checkOutboundUrl(url, deps.allow) : null;
    if (checked !== null && !checked.ok) {
      refuse({ [field]: OUTBOUND_URL_REFUSALS[checked.reason] });
    }
  }
  const least = settings.minAmountMinor === undefined ? numberOf(before?.min_amount_minor) : settings.minAmountMinor;
  const most = settings.maxAmountMinor === undefined ? numberOf(before?.max_amount_minor) : settings.maxAmountMinor;
  if (least !== null && most !== null && least > most) {
    refuse({ maxAmountMinor: 'must not be less than minAmountMinor' });
  }
}

function refuse(fields: Record<string, string>): never {
  throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields });
}

function settingsOf(settings: ApplicationSettings) {
  const { minAmountMinor, maxAmountMinor, refundApprovalThresholdMinor, refundApprovalThresholds, ...rest } = settings;
  return {
    ...withoutUndefined(rest),
    ...(minAmountMinor === undefined ? {} : { minAmountMinor: minor(minAmountMinor) }),
    ...(maxAmountMinor === undefined ? {} : { maxAmountMinor: minor(maxAmountMinor) }),
    ...(refundApprovalThresholdMinor === undefined
      ? {}
      : { refundApprovalThresholdMinor: minor(refundApprovalThresholdMinor) }),
    ...(refundApprovalThresholds === undefined
      ? {}
      : {
          refundApprovalThresholds: Object.fromEntries(
            Object.entries(minorByCurrency(refundApprovalThresholds ?? {})).map(([currency, amount]) => [
              currency,
              BigInt(amount),
            ]),
          ),
        }),
  };
}

type Defined<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

function withoutUndefined<T extends object>(value: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<Defined<T>>;
}

function minor(amount: number | null): bigint | null {
  return amount === null ? null : BigInt(amount);
}

function minorByCurrency(amounts: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(amounts).flatMap(([currency, amount]) => (amount === undefined ? [] : [[currency, amount]])),
  );
}

function numberOf(amount: string | null | undefined): number | null {
  return amount === null || amount === undefined ? null : Number(amount);
}

interface Audited {
  readonly caller: OperatorCaller;
  readonly applicationId: bigint;
  readonly action: string;
  readonly before?: AuditFacts;
  readonly after?: AuditFacts;
}

function audit(em: Statements, { caller, applicationId, action, ...facts }: Audited): Promise<void> {
  const target = { type: 'application', id: applicationId };
  return recordAudit(em, { actor: caller.actor, action, target, application: { id: applicationId }, ...facts });
}

/** Returns what the audit log shows of an application before and after a change. */
function factsOf(row: ApplicationRow): AuditFacts {
  const {
    createdAt: _created,
    updatedAt: _updated,
    webhookDisabled: _disabled,
    testWebhookDisabled: _testDisabled,
    ...facts
  } = applicationView(row);
  return facts;
}

async function viewOf(em: EntityManager, row: ApplicationRow) {
  const pendingChanges = (await waitingChanges(em, 'application', [row.id])).map(pendingChangeView);
  return { ...applicationView(row), pendingChanges };
}

async function viewsOf(em: EntityManager, rows: readonly ApplicationRow[]) {
  const changes = await waitingChanges(
    em,
    'application',
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({
    ...applicationView(row),
    pendingChanges: changes.filter(({ target }) => target.id === row.id).map(pendingChangeView),
  }));
}

function applicationView(row: ApplicationRow) {
  return {
    id: toJsonInteger(BigInt(row.id)),
    name: row.name,
    status: row.status,
    webhookUrl: row.webhook_url,
    testWebhookUrl: row.test_webhook_url,
    webhookDisabled: disabledView(row.webhook_disabled_at, row.webhook_disabled_reason),
    testWebhookDisabled: disabledView(row.test_webhook_disabled_at, row.test_webhook_disabled_reason),
    refundApprovalThresholdMinor: numberOf(row.refund_approval_threshold_minor),
    refundApprovalThresholds: row.refund_approval_thresholds,
    receiptsEnabled: row.receipts_enabled,
    minAmountMinor: numberOf(row.min_amount_minor),
    maxAmountMinor: numberOf(row.max_amount_minor),
    expiryMinutes: row.expiry_minutes,
    rateLimitPerMinute: row.rate_limit_per_minute,
    unappliedPaymentPolicy: row.unapplied_payment_policy,
    refundedInvoices: row.refunded_invoices,
    returnOrigins: row.return_origins,
    gatewaysAllowed: row.gateways_allowed,
    checkoutGateways: row.checkout_gateways,
    shadhinpayEvents: row.shadhinpay_events,
    business:
      row.shadhinpay_client_id === null || row.shadhinpay_business_id === null
        ? null
        : { clientId: row.shadhinpay_client_id, businessId: row.shadhinpay_business_id },
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}

function disabledView(since: Date | null, reason: string | null) {
  return since === null ? null : { reason: reason ?? 'UNKNOWN', since: new Date(since).toISOString() };
}
