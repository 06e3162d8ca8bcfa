import type { Mode } from '../../domain/mode.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import {
  rotateSigningSecret,
  type RotatedSigningSecret,
  type SigningSecretRotation,
} from '../webhooks/store/signing-secrets.ts';
import {
  applicationFacts,
  applicationWithChanges,
  auditApplication,
  checkSettings,
  type ApplicationWithChanges,
  type SettingsDependencies,
} from './settings.ts';
import { setApplicationStatus } from './store/administration.ts';
import { enableEndpoint as enableRow } from './store/endpoints.ts';
import {
  insertApplication,
  prepareRegistration,
  type ApplicationSettings,
  type Registration,
} from './store/applications.ts';

interface Dependencies extends SettingsDependencies {
  readonly secrets: SecretBox;
}

/** Registers an application with a credential and a signing secret for each mode, which can be shown only now. Throws VALIDATION_ERROR. */
export async function registerByOperator(
  deps: Dependencies,
  caller: ActingOperator,
  settings: ApplicationSettings & { readonly name: string },
): Promise<{ readonly application: ApplicationWithChanges; readonly made: Registration }> {
  checkSettings(deps, settings);
  const prepared = await prepareRegistration();
  return deps.database.withOperator(caller.view, async (em) => {
    const made = await insertApplication(em, deps.secrets, { prepared, settings });
    const { applicationId } = made;
    const application = await applicationWithChanges(em, applicationId);
    const after = applicationFacts(application.row);
    await auditApplication(em, { caller, applicationId, action: 'application.registered', after });
    return { application, made };
  });
}

/** Enables or disables an application. Its credentials are rejected while it is disabled. Throws RESOURCE_NOT_FOUND. */
export function setStatus(
  { database }: Dependencies,
  caller: ActingOperator,
  { applicationId, status }: { readonly applicationId: bigint; readonly status: 'ACTIVE' | 'DISABLED' },
): Promise<ApplicationWithChanges> {
  return database.withOperator(caller.view, async (em) => {
    await setApplicationStatus(em, applicationId, status);
    const action = status === 'ACTIVE' ? 'application.enabled' : 'application.disabled';
    await auditApplication(em, { caller, applicationId, action, after: { status } });
    return applicationWithChanges(em, applicationId);
  });
}

/** Rotates the signing secret of one mode. Throws RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE when too many former ones overlap. */
export function rotateSecret(
  { database, secrets }: Dependencies,
  caller: ActingOperator,
  rotation: SigningSecretRotation,
): Promise<RotatedSigningSecret> {
  const { applicationId, revokeFormer = false } = rotation;
  return database.withOperator(caller.view, async (em) => {
    const rotated = await rotateSigningSecret(em, secrets, rotation);
    const { mode, previousSecretExpiresAt } = rotated;
    const after = { mode, previousSecretExpiresAt, revokedFormer: revokeFormer };
    await auditApplication(em, { caller, applicationId, action: 'signing-secret.rotated', after });
    return rotated;
  });
}

/** Enables the disabled webhook endpoints of an application, in one mode or in both. Throws RESOURCE_NOT_FOUND. */
export function enableEndpoint(
  { database }: Dependencies,
  caller: ActingOperator,
  { applicationId, mode }: { readonly applicationId: bigint; readonly mode: Mode | undefined },
): Promise<ApplicationWithChanges> {
  return database.withOperator(caller.view, async (em) => {
    await enableRow(em, { applicationId, mode });
    const after = { mode: mode ?? null };
    await auditApplication(em, { caller, applicationId, action: 'webhook-endpoint.enabled', after });
    return applicationWithChanges(em, applicationId);
  });
}
