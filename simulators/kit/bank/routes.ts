import type { Router } from '@koa/router';
import { BodyError } from '../form-body.ts';
import { isDay } from '../payouts/days.ts';
import type { PayoutDesk } from '../payouts/desk.ts';
import { camt053 } from './camt053.ts';
import { mt940 } from './mt940.ts';
import { daysOf, statementsOf } from './statement.ts';

/** Registers the statements of the merchant's bank, in which the payouts of all gateways arrive. */
export function bankRoutes(router: Router, desks: readonly PayoutDesk[]): void {
  router.get('/__sim/bank/:name', (ctx) => {
    const days = daysOf(desks);
    const { from = days.from, to = days.to, gateway, owner } = ctx.query;
    if (!isDay(from) || !isDay(to)) {
      throw new BodyError(400, 'from and to are days like 2026-11-24');
    }
    const statements = statementsOf(desks, {
      from,
      to,
      ...(typeof gateway === 'string' ? { gateway } : {}),
      ...(typeof owner === 'string' ? { owner } : {}),
    });
    switch (ctx['params']['name']) {
      case 'statement.xml':
        ctx.type = 'xml';
        ctx.body = camt053(statements, new Date());
        return;
      case 'statement.sta':
        ctx.type = 'text/plain';
        ctx.body = mt940(statements);
        return;
      default:
        throw new BodyError(404, 'The files are statement.xml, statement.sta');
    }
  });
}
