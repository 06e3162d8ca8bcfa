import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { checkOutboundUrl, OUTBOUND_URL_REFUSALS, type AllowList } from '../../domain/outbound-url.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { outdated, propose } from '../operators/propose.ts';
import { recordAudit, type AuditFact, type AuditFacts } from '../operators/store/audit.ts';
import { waitingChanges, type PendingChange } from '../operators/store/pending-changes.ts';
import { isGuarded } from '../operators/store/second-person.ts';
import { readApplication, type ApplicationRow } from './store/administration.ts';
import { changeApplication, type ApplicationSettings } from './store/applications.ts';

export interface SettingsDependencies extends Pick<CoreDependencies, 'database'> {
  /** Hosts that webhooks may reach although they are not public, for development. */
  readonly allow: AllowList;
}

/** An application with the changes of it that wait for a second operator. */
export interface ApplicationWithChanges {
  readonly row: ApplicationRow;
  readonly changes: readonly PendingChange[];
}

/** Throws RESOURCE_NOT_FOUND. */
export async function applicationWithChanges(
  em: EntityManager,
  applicationId: bigint,
): Promise<ApplicationWithChanges> {
  const row = await readApplication(em, applicationId);
  return { row, changes: await waitingChanges(em, 'application', [row.id.toString()]) };
}

export async function withChanges(
  em: EntityManager,
  rows: readonly ApplicationRow[],
): Promise<ApplicationWithChanges[]> {
  const changes = await waitingChanges(
    em,
    'application',
    rows.map(({ id }) => id.toString()),
  );
  return rows.map((row) => ({ row, changes: changes.filter(({ target }) => target.id === row.id.toString()) }));
}

/** Settings by which one operator could weaken four-eyes approval. Once a threshold is set, a change to any of them needs a second operator. */
export const GUARDED_SETTINGS = [
  'refundApprovalThresholdMinor',
  'refundApprovalThresholds',
  'webhookUrl',
  'testWebhookUrl',
  'returnOrigins',
  'unappliedPaymentPolicy',
] as const satisfies readonly (keyof ApplicationSettings)[];
type GuardedSetting = (typeof GUARDED_SETTINGS)[number];

/**
 * Changes settings of an application; guarded ones may wait for a second operator.
 * @throws DomainError RESOURCE_NOT_FOUND, VALIDATION_ERROR, INVALID_OPERATION_STATE
 */
export function changeSettings(
  deps: SettingsDependencies,
  caller: ActingOperator,
  { applicationId, settings }: { readonly applicationId: bigint; readonly settings: ApplicationSettings },
): Promise<ApplicationWithChanges> {
  return deps.database.withOperator(caller.view, async (em) => {
    const guarded = await isGuarded(em, applicationId);
    const before = await readApplication(em, applicationId);
    checkSettings(deps, settings, before);
    const { atOnce, waiting } = guarded ? partedSettings(settings, before) : { atOnce: settings, waiting: null };
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
    return applicationWithChanges(em, applicationId);
  });
}

/** Splits settings into those that apply at once and those that need a second operator. A guarded setting that keeps its value does not wait. */
function partedSettings(
  settings: ApplicationSettings,
  row: ApplicationRow,
): { atOnce: ApplicationSettings; waiting: { before: AuditFacts; after: AuditFacts } | null } {
  const present = applicationFacts(row);
  const changing = GUARDED_SETTINGS.filter(
    (name) => settings[name] !== undefined && !isDeepStrictEqual(factOf(settings, name), present[name]),
  );
  const atOnce: ApplicationSettings = Object.fromEntries(
    Object.entries(settings).filter(([name]) => !changing.some((guarded) => guarded === name)),
  );
  const pick = (from: (name: GuardedSetting) => AuditFact): AuditFacts =>
    Object.fromEntries(changing.map((name) => [name, from(name)]));
  const waiting = { before: pick((name) => present[name]), after: pick((name) => factOf(settings, name)) };
  return { atOnce, waiting: changing.length === 0 ? null : waiting };
}

/** Returns a setting as `applicationFacts` shows it. */
function factOf(settings: ApplicationSettings, name: GuardedSetting): AuditFact {
  if (name === 'refundApprovalThresholds') {
    const amounts = Object.entries(settings.refundApprovalThresholds ?? {});
    return Object.fromEntries(amounts.map(([currency, minor]) => [currency, toJsonInteger(minor)]));
  }
  const value = settings[name] ?? null;
  return typeof value === 'bigint' ? toJsonInteger(value) : value;
}

interface SettingsChange {
  readonly caller: ActingOperator;
  readonly before: ApplicationRow;
  readonly settings: ApplicationSettings;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function writeSettings(
  em: EntityManager,
  { caller, before, settings, proposedBy }: SettingsChange,
): Promise<void> {
  const applicationId = before.id;
  await changeApplication(em, { ...settings, applicationId });
  const after = applicationFacts(await readApplication(em, applicationId));
  await auditApplication(em, {
    caller,
    applicationId,
    action: 'application.settings-changed',
    before: applicationFacts(before),
    after: { ...after, ...(proposedBy === undefined ? {} : { proposedBy }) },
  });
}

export interface ConfirmedSettings {
  readonly caller: ActingOperator;
  readonly change: PendingChange;
  /** Checks what was proposed by today's rules. */
  readonly parse: (proposed: PendingChange['after']) => ApplicationSettings;
}

/**
 * Applies settings that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError INVALID_OPERATION_STATE when one of them is not what it was when the change was proposed
 */
export async function confirmSettings(
  em: EntityManager,
  deps: SettingsDependencies,
  { caller, change, parse }: ConfirmedSettings,
): Promise<void> {
  const applicationId = change.applicationId ?? 0n;
  await isGuarded(em, applicationId);
  const before = await readApplication(em, applicationId);
  const present: Readonly<Record<string, unknown>> = applicationFacts(before);
  if (Object.entries(change.before).some(([name, was]) => !isDeepStrictEqual(present[name], was))) {
    throw outdated();
  }
  const settings = parse(change.after);
  checkSettings(deps, settings, before);
  await writeSettings(em, { caller, before, settings, proposedBy: change.proposedBy });
}

/** Rejects bounds that exclude every amount and URLs that no delivery can reach, so that the error appears before the first payment. */
export function checkSettings(
  { allow }: Pick<SettingsDependencies, 'allow'>,
  settings: ApplicationSettings,
  before?: ApplicationRow,
): void {
  for (const field of ['webhookUrl', 'testWebhookUrl'] as const) {
    const url = settings[field];
    const checked = typeof url === 'string' ? checkOutboundUrl(url, allow) : null;
    if (checked !== null && !checked.ok) {
      refuse({ [field]: OUTBOUND_URL_REFUSALS[checked.reason] });
    }
  }
  const { minAmountMinor: least = before?.minAmountMinor ?? null } = settings;
  const { maxAmountMinor: most = before?.maxAmountMinor ?? null } = settings;
  if (least !== null && most !== null && least > most) {
    refuse({ maxAmountMinor: 'must not be less than minAmountMinor' });
  }
}

function refuse(fields: Record<string, string>): never {
  throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields });
}

interface Audited {
  readonly caller: ActingOperator;
  readonly applicationId: bigint;
  readonly action: string;
  readonly before?: AuditFacts;
  readonly after?: AuditFacts;
}

export function auditApplication(em: Statements, { caller, applicationId, action, ...facts }: Audited): Promise<void> {
  const target = { type: 'application', id: applicationId };
  return recordAudit(em, { actor: caller.actor, action, target, application: { id: applicationId }, ...facts });
}

/** Returns what the audit log and a second operator see of an application, with amounts as JSON integers. */
export function applicationFacts(row: ApplicationRow) {
  return {
    id: toJsonInteger(row.id),
    name: row.name,
    status: row.status,
    webhookUrl: row.webhookUrl,
    testWebhookUrl: row.testWebhookUrl,
    refundApprovalThresholdMinor: integerOf(row.refundApprovalThresholdMinor),
    refundApprovalThresholds: row.refundApprovalThresholds,
    receiptsEnabled: row.receiptsEnabled,
    minAmountMinor: integerOf(row.minAmountMinor),
    maxAmountMinor: integerOf(row.maxAmountMinor),
    expiryMinutes: row.expiryMinutes,
    rateLimitPerMinute: row.rateLimitPerMinute,
    unappliedPaymentPolicy: row.unappliedPaymentPolicy,
    refundedInvoices: row.refundedInvoices,
    returnOrigins: row.returnOrigins,
    gatewaysAllowed: row.gatewaysAllowed,
    checkoutGateways: row.checkoutGateways,
    shadhinpayEvents: row.shadhinpayEvents,
    business:
      row.shadhinpayClientId === null || row.shadhinpayBusinessId === null
        ? null
        : { clientId: row.shadhinpayClientId, businessId: row.shadhinpayBusinessId },
  };
}

function integerOf(amount: bigint | null): number | null {
  return amount === null ? null : toJsonInteger(amount);
}
