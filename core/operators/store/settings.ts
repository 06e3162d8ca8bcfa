import { z } from 'zod';
import type { EntityManager } from '../../../database/connection.ts';
import { Setting } from '../../../database/entities/operator.ts';
import { now } from '../../../database/expressions.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

export interface InstallationSettings {
  /** Whether operators without a second factor can only set one up. */
  readonly secondFactorRequired: boolean;
}

export const SECOND_FACTOR_REQUIRED = 'second-factor-required';

export async function readSettings(em: EntityManager): Promise<InstallationSettings> {
  const row = await em.findOne(Setting, { name: SECOND_FACTOR_REQUIRED });
  return { secondFactorRequired: z.boolean().parse(row?.value ?? false) };
}

const WRITE = statement((db, $: Given<{ name: string; value: string }>) =>
  db
    .insertInto('settings')
    .values((eb) => ({ name: $('name'), value: eb.cast<unknown>($('value'), 'jsonb') }))
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((eb) => ({ value: eb.ref('excluded.value'), updatedAt: now })),
    ),
);

export async function writeSettings(em: EntityManager, settings: InstallationSettings): Promise<void> {
  await writeSetting(em, { name: SECOND_FACTOR_REQUIRED, value: JSON.stringify(settings.secondFactorRequired) });
}

/** Writes one setting, as JSON. */
export async function writeSetting(
  em: EntityManager,
  setting: { readonly name: string; readonly value: string },
): Promise<void> {
  await WRITE.all(em, setting);
}
