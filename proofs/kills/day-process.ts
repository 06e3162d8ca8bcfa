import { pino } from 'pino';
import { importFile } from '../../core/payouts/import-file.ts';
import { advanceRun } from '../../core/reconciliation/advance-run.ts';
import { openRunOf } from '../../core/reconciliation/open-run.ts';
import { openDatabase } from '../../database/connection.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import type { DayToClose } from './day-to-close.ts';

// Does a worker's part of closing a day, without Temporal: it goes on wherever the process before it has died.
const { databaseUrl, mode, gateway, period, files } = JSON.parse(process.argv[2] ?? '') as DayToClose;
const database = await openDatabase({ url: databaseUrl, poolSize: 2 });
const deps = {
  database,
  calendar: calendarIn(BUSINESS_TIME_ZONE),
  log: pino({ level: 'silent' }),
  gateways: { capabilities: () => ({ feeKnown: 'with-the-charge' as const, disputes: 'none' as const }) },
};
for (const reference of files) {
  await importFile(deps, { reference, rowsAtOnce: 500 });
}
const run = await openRunOf(deps, { mode, gateway, period });
let goesOn = true;
while (goesOn) {
  ({ goesOn } = await advanceRun(deps, run));
}
await database.close();
