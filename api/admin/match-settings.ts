import type { z } from 'zod';
import {
  changeMatchSettings,
  findMatchSettings,
  type SettingsOfGateway,
} from '../../core/reconciliation/change-match-settings.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { MatchSettings, MatchSettingsBody, MatchSettingsParams } from './match-settings-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Reconciliation';
const PATH = '/admin/reconciliation/match-settings/{gateway}';
const RESPONSE = { status: 200, schema: MatchSettings } as const;

/** Returns the routes for how the lines of a gateway are judged. */
export function matchSettingsRoutes(deps: AdminDependencies): AdminRoute[] {
  return [read(deps), write(deps)];
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: PATH,
    operationId: 'getMatchSettings',
    tag: TAG,
    summary: 'Retrieve how the payout lines of a gateway are judged',
    permission: 'report:read',
    everyApp: true,
    params: MatchSettingsParams,
    response: RESPONSE,
    errors: [],
    handler: async ({ caller, params: { gateway } }) => ({
      status: 200,
      data: viewOf(await findMatchSettings(deps, caller, gateway)),
    }),
  });
}

function write(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: PATH,
    operationId: 'putMatchSettings',
    tag: TAG,
    summary: 'Replace how the payout lines of a gateway are judged',
    description:
      'A setting that is left out returns to what is usual for the gateway. The next run uses the settings. Once an application has an approval threshold, a change of anything but trusted stores waits in `pendingChanges` for a second operator.',
    permission: 'reconciliation:manage',
    everyApp: true,
    sensitive: true,
    params: MatchSettingsParams,
    body: MatchSettingsBody,
    response: RESPONSE,
    errors: ['INVALID_OPERATION_STATE'],
    handler: async ({ caller, params: { gateway }, body }) => {
      const { toleranceMinor, feeToleranceMinor, ...others } = body;
      const chosen = {
        ...others,
        ...(toleranceMinor === undefined ? {} : { toleranceMinor: BigInt(toleranceMinor) }),
        ...(feeToleranceMinor === undefined ? {} : { feeToleranceMinor: BigInt(feeToleranceMinor) }),
      };
      return { status: 200, data: viewOf(await changeMatchSettings(deps, caller, { gateway, chosen })) };
    },
  });
}

function viewOf({ gateway, chosen, applied, changes }: SettingsOfGateway): z.infer<typeof MatchSettings> {
  const { toleranceMinor, feeToleranceMinor, ...others } = chosen;
  const { tolerance, statesNetOnly, agreedFee, rates, expectedWithinDays, businessDays } = applied;
  return {
    gateway,
    chosen: {
      ...others,
      ...(toleranceMinor === undefined ? {} : { toleranceMinor: toJsonInteger(toleranceMinor) }),
      ...(feeToleranceMinor === undefined ? {} : { feeToleranceMinor: toJsonInteger(feeToleranceMinor) }),
    },
    applied: {
      toleranceMinor: toJsonInteger(tolerance.amountMinor),
      feeToleranceMinor: toJsonInteger(tolerance.feeMinor),
      statesNetOnly,
      agreedFee,
      rates: [...rates],
      expectedWithinDays,
      trustedStores: [...(chosen.trustedStores ?? [])],
      weeklyHolidays: [...businessDays.weeklyHolidays],
      holidays: [...businessDays.holidays],
    },
    pendingChanges: changes.map(pendingChangeView),
  };
}
