import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { day, openBilling, refusal, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
  await fill();
});
afterAll(() => billing.close());

const Items = z.array(z.looseObject({ id: z.number(), status: z.string(), customerReference: z.string() }));

/** Two invoices of each shown status, alternately of two customers. */
const made: Record<string, unknown[]> = {};
async function fill(): Promise<void> {
  for (const customerReference of ['ann', 'bob']) {
    const add = (status: string, id: unknown): void => void (made[status] = [...(made[status] ?? []), id]);
    const create = async (change: object = {}): Promise<unknown> =>
      (await billing.create({ customerReference, ...change })).data['id'];
    add('DRAFT', (await billing.draft({ customerReference, dueDate: day(-3) })).data['id']);
    add('ISSUED', await create({ dueDate: day(0) }));
    add('ISSUED', await create());
    add('OVERDUE', await create({ dueDate: day(-1) }));
    const overdueInPart = await create({ plan: { count: 2, every: 'MONTH', firstDueDate: day(-10) } });
    await billing.payUp(overdueInPart, 10_000);
    add('OVERDUE', overdueInPart);
    const inPart = await create({ plan: { count: 2, every: 'MONTH', firstDueDate: day(-10) } });
    await billing.payUp(inPart, 50_000);
    add('PARTIALLY_PAID', inPart);
    const paid = await create({ dueDate: day(-5) });
    await billing.payUp(paid, 100_000);
    add('PAID', paid);
    const gone = await create({ dueDate: day(-5) });
    await billing.act(gone, 'void');
    add('VOID', gone);
  }
}

async function list(query: string): Promise<z.infer<typeof Items>> {
  const answer = await billing.send(`/invoices${query}`);
  expect(answer.status).toBe(200);
  return Items.parse(answer.payload);
}

describe('by status', () => {
  test.each(['DRAFT', 'ISSUED', 'PARTIALLY_PAID', 'PAID', 'VOID', 'OVERDUE'])(
    '%s lists exactly what is shown so, newest first',
    async (status) => {
      // An invoice that is shown as overdue must be found under OVERDUE, and only there.
      const items = await list(`?status=${status}`);
      expect(items.map(({ id }) => id)).toEqual([...(made[status] ?? [])].reverse());
      expect(new Set(items.map((item) => item.status))).toEqual(new Set([status]));
    },
  );

  test('the six lists together are all invoices, each once', async () => {
    // Otherwise an invoice could be missing from all lists, or appear in two.
    const all = await list('?paginate=false');
    expect(all.map(({ id }) => id).sort((a, b) => a - b)).toEqual(
      Object.values(made)
        .flat()
        .map(Number)
        .sort((a, b) => a - b),
    );
    expect(all).toHaveLength(16);
  });

  test('with a customer, too', async () => {
    const items = await list('?status=OVERDUE&customerReference=bob');
    expect(items.map(({ id, customerReference }) => [id, customerReference])).toEqual(
      [...(made['OVERDUE'] ?? [])]
        .slice(2)
        .reverse()
        .map((id) => [id, 'bob']),
    );
  });

  test('an item of a list is the invoice as it is read, payments included', async () => {
    // A client must not have to handle two shapes of an invoice.
    const [item] = await list('?status=PAID');
    expect(item).toEqual((await billing.read(item?.id)).payload);
    expect(item?.['payments']).toHaveLength(1);
  });
});

describe('by customer', () => {
  test('one gets his own invoices, another nothing', async () => {
    // The application chooses the reference, and the filter must match it exactly.
    expect(await list('?customerReference=ann')).toHaveLength(8);
    expect(await list('?customerReference=Ann')).toEqual([]);
    expect(await list('?customerReference=an%25')).toEqual([]);
  });

  test('another application and the other mode see nothing of them', async () => {
    // Otherwise another application could read a customer's invoices.
    const other = await billing.world.register();
    for (const credentials of [other.test, other.live, billing.shop.live]) {
      const answer = await billing.send('/invoices?customerReference=ann', { credentials });
      expect([answer.payload, answer.pagination?.totalElements]).toEqual([[], 0]);
    }
  });
});

describe('pages', () => {
  test('by number cover all, once each', async () => {
    // The documentation describes this paging.
    const pages = [await list('?size=7'), await list('?size=7&page=1'), await list('?size=7&page=2')];
    expect(pages.map((page) => page.length)).toEqual([7, 7, 2]);
    expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(16);
    const { pagination } = await billing.send('/invoices?size=7&page=1');
    expect(pagination).toEqual({
      page: 1,
      size: 7,
      totalElements: 16,
      totalPages: 3,
      nextCursor: expect.any(String),
    });
  });

  test('by cursor go on where they were, whatever is added meanwhile, in both orders', async () => {
    // Otherwise an export could miss an invoice or contain one twice.
    for (const order of ['ASC', 'DESC']) {
      const seen: number[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const answer = await billing.send(`/invoices?customerReference=ann&size=3&order=${order}${more}`);
        seen.push(...Items.parse(answer.payload).map(({ id }) => id));
        cursor = answer.pagination?.nextCursor ?? null;
      }
      const sorted = [...seen].sort((a, b) => (order === 'ASC' ? a - b : b - a));
      expect([seen, new Set(seen).size]).toEqual([sorted, 8]);
    }
  });

  test.each([
    ['size=0', 'size'],
    ['size=101', 'size'],
    ['page=-1', 'page'],
    ['sortBy=number', 'sortBy'],
    ['order=asc', 'order'],
    ['paginate=yes', 'paginate'],
    ['cursor=%00', 'cursor'],
    ['cursor=nonsense', 'cursor'],
    ['status=OPEN', 'status'],
    ['status=', 'status'],
    ['customerReference=', 'customerReference'],
    ['customerReference=a%00b', 'customerReference'],
    ['status=PAID&status=VOID', 'status'],
  ])('%s is refused by its name', async (query, field) => {
    // A guessed parameter would give the caller the wrong invoices.
    const [status, code, fields] = refusal(await billing.send(`/invoices?${query}`));
    expect([status, code, Object.keys(fields)]).toEqual([400, 'VALIDATION_ERROR', [field]]);
  });
});
