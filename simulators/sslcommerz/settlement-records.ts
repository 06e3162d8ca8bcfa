import type { Router } from '@koa/router';
import { readForm } from '../kit/form-body.ts';
import { isDay } from '../kit/payouts/days.ts';
import type { PayoutDesk } from '../kit/payouts/desk.ts';
import type { Gateway } from './gateway.ts';
import { connectState } from './merchant-api.ts';
import { settlementFields } from './payouts.ts';

const limitMax = 500;

/** Registers the paged list of what was credited to a store, by the day of its settlement. No official page documents it. */
export function settlementRoutes(router: Router, gateway: Gateway, desk: PayoutDesk): void {
  router.post('/validator/api/v4/', async (ctx) => {
    const form = await readForm(ctx.req);
    const storeId = form['store_id'] ?? '';
    const connected = connectState(gateway, { storeId, password: form['store_passwd'] ?? '' });
    if (connected !== 'DONE') {
      ctx.body = { APIConnect: connected };
      return;
    }
    const { start_date: from, end_date: to } = form;
    const page = wholeIn(form['page'] ?? '1');
    const limit = wholeIn(form['limit'] ?? '50');
    if (
      form['action'] !== 'settlementRecord' ||
      !isDay(from) ||
      !isDay(to) ||
      page < 1 ||
      limit < 1 ||
      limit > limitMax
    ) {
      ctx.body = { APIConnect: 'INVALID_REQUEST' };
      return;
    }
    const records = [...desk.book().payouts.values()]
      .filter(({ owner, on }) => owner === storeId && on >= from && on <= to)
      .flatMap(({ lines, on }) => lines.map((line) => ({ line, on })));
    ctx.body = {
      APIConnect: 'DONE',
      no_of_trans: records.length,
      total_pages: Math.ceil(records.length / limit),
      time_zone: 'Asia/Dhaka',
      sett: records.slice((page - 1) * limit, page * limit).map(({ line, on }) => settlementFields(line, on)),
    };
  });
}

function wholeIn(text: string): number {
  return /^\d{1,6}$/.test(text) ? Number(text) : 0;
}
