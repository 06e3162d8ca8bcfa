import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from './acting-operator.ts';
import { recordAudit } from './store/audit.ts';
import { readSettings, writeSettings, type InstallationSettings } from './store/settings.ts';

type Dependencies = Pick<CoreDependencies, 'database'>;

export function findSettings({ database }: Dependencies, { view }: ActingOperator): Promise<InstallationSettings> {
  return database.withOperator(view, readSettings);
}

export async function changeSettings(
  { database }: Dependencies,
  { view, actor }: ActingOperator,
  settings: InstallationSettings,
): Promise<void> {
  await database.withOperator(view, async (em) => {
    const before = await readSettings(em);
    await writeSettings(em, settings);
    await recordAudit(em, {
      actor,
      action: 'settings.changed',
      target: { type: 'settings', id: 'installation' },
      before: { ...before },
      after: { ...settings },
    });
  });
}
