import { z } from 'zod';
import type { EntityManager } from '../../../database/connection.ts';
import { Setting } from '../../../database/entities/operator.ts';

export interface InstallationSettings {
  /** Whether operators without a second factor can only set one up. */
  readonly secondFactorRequired: boolean;
}

const SECOND_FACTOR_REQUIRED = 'second-factor-required';

export async function readSettings(em: EntityManager): Promise<InstallationSettings> {
  const row = await em.findOne(Setting, { name: SECOND_FACTOR_REQUIRED });
  return { secondFactorRequired: z.boolean().parse(row?.value ?? false) };
}

export async function writeSettings(em: EntityManager, settings: InstallationSettings): Promise<void> {
  await em.execute(
    `insert into settings (name, value) values (?, ?::jsonb) on conflict (name) do update set value = excluded.value, updated_at = now()`,
    [SECOND_FACTOR_REQUIRED, JSON.stringify(settings.secondFactorRequired)],
  );
}
