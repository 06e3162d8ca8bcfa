import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { scriptTable } from '../../../simulators/nagad/scripts.ts';
import type { Page } from '../payer.ts';
import { newOrderId, pay, returned, startNagad } from './merchant.ts';
import { until } from '../../support/until.ts';

let both: Awaited<ReturnType<typeof startNagad>>;
beforeAll(async () => {
  both = await startNagad();
});
afterAll(() => both.close());

type Seen = { status: number; text: string } | 'cut';

async function see(answer: Promise<Response>): Promise<Seen> {
  try {
    const got = await answer;
    return { status: got.status, text: await got.text() };
  } catch {
    return 'cut';
  }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
/** Recognises each faulty answer from the client's side. */
const looks: Record<string, (got: Seen) => boolean> = {
  cut: (got) => got === 'cut',
  http_500: (got) => got !== 'cut' && got.status === 500 && !isJson(got.text),
  html: (got) => got !== 'cut' && got.status === 200 && got.text.startsWith('<!DOCTYPE html>'),
  empty: (got) => got !== 'cut' && got.status === 200 && got.text === '',
  truncated: (got) => got !== 'cut' && got.text.startsWith('{"') && !isJson(got.text),
  huge: (got) => got !== 'cut' && got.text.length > 10_000_000,
  refused: (got) => got !== 'cut' && got.status >= 400 && got.text.includes('"reason"'),
  good: (got) => got !== 'cut' && got.status === 200 && isJson(got.text),
};

/** Each row of the script table must be used by a test below. */
const proven = new Set<string>();
function row(numbers: string | readonly string[], what: string, work: () => Promise<void>): void {
  for (const number of [numbers].flat()) {
    proven.add(number);
  }
  test(`${[numbers].flat().join(', ')}: ${what}`, work);
}

type Paid = { orderId: string; ref: string; back: Page };

/** Pays under the script `number`, which the payer's wallet selects. */
async function payUnder(number: string): Promise<Paid> {
  const order = await both.api.order();
  return { ...order, back: await pay(order, 'pay', { mobile: `017000000${number}` }) };
}

const chargesOf = async ({ orderId }: { orderId: string }) =>
  (await both.api.charges()).filter((line) => line['tranId'] === orderId);

describe('by its number the payer’s wallet scripts', () => {
  for (const [number, status, back] of [
    ['01', 'Success', 'Success'],
    ['02', 'Failed', 'Failed'],
    ['03', 'Aborted', 'Aborted'],
    ['04', 'Cancelled', 'Aborted'],
  ] as const) {
    row(number, `pay ends as ${status}`, async () => {
      // Pressing pay can end without a charge.
      const paid = await payUnder(number);
      expect(returned(paid.back)).toMatchObject({ status: back });
      expect(await both.api.verify(paid.ref)).toMatchObject({ status });
      expect(await chargesOf(paid)).toHaveLength(status === 'Success' ? 1 : 0);
    });
  }

  row('10', 'silence: charged and nobody told', async () => {
    // The worst case for a payer: Nagad sends no notification, so only a query finds the charge.
    const paid = await payUnder('10');
    expect(paid.back.html).toContain('does not send you back');
    expect(await both.api.verify(paid.ref)).toMatchObject({ status: 'Success', statusCode: '000' });
  });

  row(['11', '12'], 'money that comes late, and never', async () => {
    // An order in progress is neither paid nor over.
    const late = await payUnder('11');
    const stuck = await payUnder('12');
    expect(await both.api.verify(late.ref)).toMatchObject({ status: 'InProgress', issuerPaymentRefNo: null });
    await until(async () => (await both.api.verify(late.ref))['status'] === 'Success');
    expect(await chargesOf(late)).toHaveLength(1);
    expect(await both.api.verify(stuck.ref)).toMatchObject({ status: 'InProgress' });
    expect(await chargesOf(stuck)).toHaveLength(0);
  });

  row('20', 'a charge of less than was asked', async () => {
    // A merchant has to compare the amounts.
    const paid = await payUnder('20');
    expect(await both.api.verify(paid.ref)).toMatchObject({ status: 'Success', amount: '99.00' });
    expect(await chargesOf(paid)).toMatchObject([{ amount: '99.00', requestedAmount: '100.00' }]);
  });

  const lies: Record<string, object> = {
    '22': { merchantId: '683999999999999' },
    '23': { orderId: 'SOMEBODYELSE' },
    '24': { status: 'Success', issuerPaymentRefNo: '' },
    '25': { status: 'Success', statusCode: '999' },
    '28': { status: 'Held' },
  };
  for (const [number, said] of Object.entries(lies)) {
    row(number, `a verification that says ${JSON.stringify(said)}`, async () => {
      // A merchant has to check each of these members before it accepts the payment.
      expect(await both.api.verify((await payUnder(number)).ref)).toMatchObject(said);
    });
  }

  row(['26', '27'], 'a return that lies in both directions', async () => {
    // The payer's return proves nothing.
    const lie = await payUnder('26');
    const denial = await payUnder('27');
    expect(returned(lie.back)['status']).toBe('Success');
    expect(await chargesOf(lie)).toHaveLength(0);
    expect(returned(denial.back)['status']).toBe('Failed');
    expect(await chargesOf(denial)).toHaveLength(1);
  });

  row('29', 'two answers in progress, then the truth', async () => {
    const { ref } = await payUnder('29');
    const said = [await both.api.verify(ref), await both.api.verify(ref), await both.api.verify(ref)];
    expect(said.map(({ status }) => status)).toEqual(['InProgress', 'InProgress', 'Success']);
  });

  row('36', 'slow verifications', async () => {
    const { ref } = await payUnder('36');
    const before = Date.now();
    expect(await both.api.verify(ref)).toMatchObject({ status: 'Success' });
    expect(Date.now() - before).toBeGreaterThanOrEqual(240);
  });

  row('50', 'amounts without padding', async () => {
    // The published sample has this format.
    expect(await both.api.verify((await payUnder('50')).ref)).toMatchObject({ amount: '100' });
  });

  const spoilt: Record<string, [string, string, string]> = {
    '18': ['cut', 'cut', 'good'],
    '19': ['cut', 'cut', 'cut'],
    '30': ['http_500', 'http_500', 'good'],
    '31': ['http_500', 'http_500', 'http_500'],
    '32': ['html', 'html', 'good'],
    '33': ['empty', 'empty', 'good'],
    '34': ['truncated', 'truncated', 'good'],
    '35': ['huge', 'huge', 'good'],
    '37': ['cut', 'cut', 'good'],
    '38': ['refused', 'refused', 'good'],
  };
  for (const [number, expected] of Object.entries(spoilt)) {
    row(number, `verifications that are ${expected.join(', ')}`, async () => {
      // The money has moved, but the answer is unusable in one of these ways.
      const { ref } = await payUnder(number);
      for (const look of expected) {
        const got = await see(both.api.verifyRaw(ref));
        expect(looks[look]?.(got)).toBe(true);
      }
    });
  }
});

/** Completes an order whose amount selects a script. */
async function completeUnder(number: string) {
  const begun = await both.api.begin();
  const send = (): Promise<Seen> =>
    see(
      both.api
        .complete(begun, { amount: `1313.${number}` })
        .then(({ status, body }) => new Response(JSON.stringify(body), { status })),
    );
  return { ...begun, send };
}

describe('by its number the amount scripts', () => {
  row('06', 'an order that ends soon', async () => {
    const order = await both.api.order('1313.06');
    expect(await both.api.verify(order.ref)).toMatchObject({ status: 'Initiated' });
    await until(async () => (await both.api.verify(order.ref))['status'] === 'Aborted');
    expect(returned(await pay(order))).toMatchObject({ status: 'Aborted' });
  });

  row('40', 'a completion that is refused', async () => {
    const { ref, send } = await completeUnder('40');
    expect(looks['refused']?.(await send())).toBe(true);
    expect((await fetch(`${both.url}/check-out/${ref}`)).status).toBe(404);
  });

  for (const [number, executed] of [
    ['41', true],
    ['53', false],
  ] as const) {
    row(number, `a completion whose answer is lost ${executed ? 'after' : 'before'} it was carried out`, async () => {
      // The merchant cannot tell the two cases apart.
      const { ref, send } = await completeUnder(number);
      expect(await send()).toBe('cut');
      expect((await fetch(`${both.url}/check-out/${ref}`)).status).toBe(executed ? 200 : 404);
      expect(looks['good']?.(await send())).toBe(true);
    });
  }

  row(['42', '49'], 'completions that never answer right', async () => {
    const [hanging, failing] = [await completeUnder('42'), await completeUnder('49')];
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await hanging.send()).toBe('cut');
      expect(await failing.send()).toBe('cut');
    }
  });

  // Answers that are not JSON count as "cut" here, because the client parses them.
  row(['43', '44', '45', '46'], 'a first completion that is no JSON', async () => {
    // The client gets an unusable answer when it creates a session.
    for (const number of ['43', '44', '45', '46']) {
      const { send } = await completeUnder(number);
      expect(await send()).toBe('cut');
      expect(looks['good']?.(await send())).toBe(true);
    }
  });

  row('47', 'a first completion of 10 MB', async () => {
    // A client has to limit the size of answers.
    const { send } = await completeUnder('47');
    expect(looks['huge']?.(await send())).toBe(true);
    expect(looks['huge']?.(await send())).toBe(false);
  });

  row('48', 'slow completions', async () => {
    const { send } = await completeUnder('48');
    const before = Date.now();
    expect(looks['good']?.(await send())).toBe(true);
    expect(Date.now() - before).toBeGreaterThanOrEqual(240);
  });

  row('54', 'a completion that leads to somebody else', async () => {
    // A merchant must check where it sends the payer.
    expect((await both.api.order('1313.54')).page).toBe('https://mynagad.com.example/check-out/x');
  });
});

describe('by its name the control plane scripts', () => {
  const queue = (name: string) => both.api.control('POST', 'nagad/scripts', { script: name });

  row('80', 'an initialization that is refused', async () => {
    await queue('initialize-refused');
    expect(await both.api.initialize(newOrderId())).toMatchObject({
      status: 400,
      body: { reason: 'InactiveMerchant' },
    });
  });

  row(['81', '82', '86'], 'a first initialization that is lost', async () => {
    // A repeated initialization must get the next stage of the script, not another script.
    for (const name of ['initialize-timeout', 'initialize-http-500', 'initialize-html']) {
      await queue(name);
      const orderId = newOrderId();
      await expect(both.api.initialize(orderId)).rejects.toThrow();
      expect(await both.api.initialize(orderId)).toMatchObject({ status: 200 });
    }
  });

  row(['83', '84', '85'], 'answers that are not the gateway’s', async () => {
    // A merchant has to check this signature.
    await queue('initialize-bad-signature');
    expect(both.api.opened((await both.api.initialize(newOrderId())).body).signed).toBe(false);
    await queue('initialize-no-signature');
    expect(Object.keys((await both.api.initialize(newOrderId())).body)).toEqual(['sensitiveData']);
    await queue('initialize-garbled');
    const garbled = await both.api.initialize(newOrderId());
    expect(() => both.api.opened(garbled.body)).toThrow();
  });
});

test('every row of the table is proven', () => {
  // A row without a test might not work.
  expect([...proven].toSorted()).toEqual(Object.keys(scriptTable).toSorted());
});
