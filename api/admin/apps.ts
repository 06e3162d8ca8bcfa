import { z } from 'zod';
import {
  enableEndpoint,
  registerByOperator,
  rotateSecret,
  setStatus as writeStatus,
} from '../../core/applications/manage.ts';
import {
  applicationFacts,
  applicationWithChanges,
  changeSettings as writeSettings,
  GUARDED_SETTINGS,
  withChanges,
  type ApplicationWithChanges,
} from '../../core/applications/settings.ts';
import { listApplications } from '../../core/applications/store/administration.ts';
import type { ApplicationSettings as SettingsInCore } from '../../core/applications/store/applications.ts';
import type { PendingChange } from '../../core/operators/store/pending-changes.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import {
  Application,
  ApplicationSettings,
  ApplicationsQuery,
  EnableEndpointQuery,
  RegisterApplication,
  RegisteredApplication,
  RotatedSigningSecret,
  RotateSigningSecret,
} from './app-schemas.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
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
        return { ...page, rows: await withChanges(em, page.rows) };
      });
      return { status: 200, data: rows.map(applicationView), pagination: paginationOf(slice, { total, nextCursor }) };
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
      const settings = { ...settingsOf(body), name: body.name };
      const { application, made } = await registerByOperator(deps, caller, settings);
      return {
        status: 201,
        data: {
          application: applicationView(application),
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
      data: applicationView(
        await deps.database.withOperator(caller.view, (em) => applicationWithChanges(em, params.id)),
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
    handler: async ({ caller, params: { id: applicationId }, body }) => ({
      status: 200,
      data: applicationView(await writeSettings(deps, caller, { applicationId, settings: settingsOf(body) })),
    }),
  });
}

/** Checks settings that were proposed and are confirmed now. */
export function parseSettings(proposed: PendingChange['after']): SettingsInCore {
  return settingsOf(ApplicationSettings.parse(proposed));
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
    handler: async ({ caller, params: { id: applicationId } }) => ({
      status: 200,
      data: applicationView(await writeStatus(deps, caller, { applicationId, status })),
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
    handler: async ({ caller, params: { id: applicationId }, body }) => {
      const rotated = await rotateSecret(deps, caller, { applicationId, ...body });
      const { mode, signingSecret, previousSecretExpiresAt } = rotated;
      const data = { mode, signingSecret, previousSecretExpiresAt: previousSecretExpiresAt.toISOString() };
      return { status: 200, data };
    },
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
    handler: async ({ caller, params: { id: applicationId }, query: { mode } }) => ({
      status: 200,
      data: applicationView(await enableEndpoint(deps, caller, { applicationId, mode })),
    }),
  });
}

function settingsOf(settings: ApplicationSettings): SettingsInCore {
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

function applicationView({ row, changes }: ApplicationWithChanges) {
  return {
    ...applicationFacts(row),
    webhookDisabled: disabledView(row.webhookDisabledAt, row.webhookDisabledReason),
    testWebhookDisabled: disabledView(row.testWebhookDisabledAt, row.testWebhookDisabledReason),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    pendingChanges: changes.map(pendingChangeView),
  };
}

function disabledView(since: Date | null, reason: string | null) {
  return since === null ? null : { reason: reason ?? 'UNKNOWN', since: new Date(since).toISOString() };
}
