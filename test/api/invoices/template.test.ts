import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { png, pngOf } from '../../web/documents/examples.ts';
import type { Answer } from '../contract-client.ts';
import { httpCall } from '../http-call.ts';
import { openBilling, referenceOf, refusal, type Billing } from './billing.ts';
import { hostOf, openFileServer, type FileServer } from './file-server.ts';

let billing: Billing;
let files: FileServer;
/** An API that may fetch from the file server, with two resolvable names: one on the internet, one in the internal network. */
let origin: string;
let pages: string;
let shop: Registration;

beforeAll(async () => {
  billing = await openBilling();
  files = await openFileServer();
  const allow = files.host;
  const resolve = (name: string): Promise<{ address: string; family: 4 | 6 }[]> =>
    Promise.resolve(PRIVATE_NAMES[name] ?? []);
  origin = await billing.world.listen({ allow, resolve });
  pages = billing.pages;
  shop = await billing.world.register({ name: 'Branded', rateLimitPerMinute: 1_000_000 });
});
afterAll(async () => {
  await files.close();
  await billing.close();
});

const PRIVATE_NAMES: Readonly<Record<string, { address: string; family: 4 | 6 }[]>> = {
  'inside.shop.example': [{ address: '10.0.0.7', family: 4 }],
  'metadata.shop.example': [{ address: '169.254.169.254', family: 4 }],
  'half.shop.example': [
    { address: '93.184.215.14', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ],
  'six.shop.example': [{ address: '::1', family: 6 }],
};

const PATH = '/invoices/template';
const put = (body: object, credentials = shop.test): Promise<Answer> =>
  billing.send(PATH, { method: 'PUT', body, credentials, at: origin });
const get = (credentials = shop.test): Promise<Answer> => billing.send(PATH, { credentials, at: origin });

const LOGO = png({ width: 40, height: 10 });
// The smallest file that libjpeg writes: 16 × 8 red pixels.
const JPEG = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAIABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAABAX/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCeAOpP/9k=',
  'base64',
);

describe('the template', () => {
  const EMPTY = {
    logoUrl: null,
    companyName: null,
    companyAddress: null,
    contactDetails: null,
    footerNote: null,
    accentColor: null,
  };

  test('is empty before it was set, may be set to nothing, and is one for both modes', async () => {
    // The documented sample body is {}.
    const fresh = await billing.world.register();
    expect((await get(fresh.test)).payload).toEqual({ ...EMPTY, createdAt: null, updatedAt: null });
    const set = await put({}, fresh.test);
    expect(set.payload).toEqual({ ...EMPTY, createdAt: expect.any(String), updatedAt: expect.any(String) });
    expect((await get(fresh.live)).payload).toEqual(set.payload);
  });

  test('is replaced whole, keeps when it was first set, and is nobody else’s', async () => {
    // Members that are left out are removed, and another application's template does not change.
    const other = await billing.world.register();
    const full = {
      companyName: 'রূপালী বুকস <b>&',
      companyAddress: '14/2 Nilkhet Road\nDhaka 1205',
      contactDetails: 'accounts@shop.example',
      footerNote: 'Thank you.',
      accentColor: '#0B6b4f',
    };
    const first = await put(full);
    expect(first.data).toMatchObject({ ...full, logoUrl: null });
    const second = await put({ companyName: 'Alone', footerNote: null });
    expect(second.data).toMatchObject({ ...EMPTY, companyName: 'Alone', createdAt: first.data['createdAt'] });
    expect((await get(other.test)).data).toMatchObject(EMPTY);
  });

  test.each([
    ['companyName', 'x'.repeat(121)],
    ['companyName', 'a\nb'],
    ['companyAddress', 'x'.repeat(301)],
    ['contactDetails', 'x'.repeat(301)],
    ['footerNote', 'x'.repeat(501)],
    ['footerNote', 'a\u0000b'],
    ['companyName', ' '],
    ['accentColor', 'red'],
    ['accentColor', '#0b6b4'],
    ['accentColor', '#0b6b4f;background:url(//evil.example)'],
    ['logoUrl', 7],
    ['logoUrl', `https://shop.example/${'x'.repeat(2_048)}`],
  ])('%s of %j is refused and the former template stays', async (field, value) => {
    // Unvalidated values must not get into a page or a document.
    const before = await put({ companyName: 'Stays', accentColor: '#123456' });
    const [status, code, fields] = refusal(await put({ companyName: 'Other', [field]: value }));
    expect([status, code, Object.keys(fields)]).toEqual([400, 'VALIDATION_ERROR', [field]]);
    expect((await get()).payload).toEqual(before.payload);
  });

  test('set by ten at once is one of the ten, whole', async () => {
    // Two people of one company can save at the same time, and must not get a mixture of both templates.
    const names = Array.from({ length: 10 }, (_, i) => `Company ${i}`);
    const answers = await Promise.all(names.map((name) => put({ companyName: name, footerNote: name })));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    const { companyName, footerNote } = (await get()).data;
    expect([names.includes(String(companyName)), footerNote]).toEqual([true, companyName]);
  });
});

describe('a logo', () => {
  async function shown(): Promise<{
    status: number;
    type: string | undefined;
    bytes: Buffer;
    csp: string | undefined;
  }> {
    const made = await billing.create({}, { credentials: shop.test });
    const { status, headers, bytes } = await httpCall({ origin: pages, path: `/pay/${referenceOf(made)}/logo` });
    return { status, type: headers['content-type'], bytes, csp: headers['content-security-policy'] };
  }

  test.each([
    ['PNG', 'image/png', LOGO],
    ['JPEG', 'image/jpeg', JPEG],
  ])(
    'in %s is fetched once, stored without what a file carries beside it, and shown inertly',
    async (kind, type, bytes) => {
      // The page must not depend on a merchant's server, or reveal its readers to that server.
      const path = `/logo.${kind}`;
      const logoUrl = files.file(path, 'text/plain', bytes);
      expect((await put({ logoUrl })).data['logoUrl']).toBe(logoUrl);
      const logo = await shown();
      expect([logo.status, logo.type]).toEqual([200, type]);
      expect(logo.bytes.subarray(0, 3)).toEqual(bytes.subarray(0, 3));
      expect(logo.csp).toBe("default-src 'none'; frame-ancestors 'none'");
      await shown();
      expect(files.asked.filter((asked) => asked === path)).toHaveLength(1);
      expect((await put({})).status).toBe(200);
      expect((await shown()).status).toBe(404);
    },
  );

  const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  const HTML = Buffer.from('<!doctype html><script>alert(1)</script>');
  const NOT_A_PICTURE = 'must be a PNG or a JPEG';
  const NOT_FETCHED = 'cannot be fetched';

  test.each<[string, () => string, string]>([
    ['an SVG with script', () => files.file('/a.svg', 'image/svg+xml', SVG), NOT_A_PICTURE],
    ['an SVG that says it is a PNG', () => files.file('/b.png', 'image/png', SVG), NOT_A_PICTURE],
    ['a page', () => files.file('/c', 'text/html', HTML), NOT_A_PICTURE],
    ['nothing', () => files.file('/d', 'image/png', Buffer.alloc(0)), NOT_A_PICTURE],
    ['a GIF', () => files.file('/e.gif', 'image/gif', Buffer.from('GIF89a\u0001\u0000\u0001\u0000')), NOT_A_PICTURE],
    [
      '4 MB of PNG',
      () => files.file('/f.png', 'image/png', Buffer.concat([LOGO, Buffer.alloc(4_000_000)])),
      'must be at most 1 MB',
    ],
    [
      '4 MB that come without their length',
      () =>
        files.serve('/g.png', (response) => {
          response.writeHead(200, { 'content-type': 'image/png' });
          response.write(LOGO);
          response.end(Buffer.alloc(4_000_000));
        }),
      'must be at most 1 MB',
    ],
    [
      'half a PNG',
      () => files.file('/h.png', 'image/png', LOGO.subarray(0, LOGO.length - 20)),
      'is not a complete image',
    ],
    ['half a JPEG', () => files.file('/i.jpg', 'image/jpeg', JPEG.subarray(0, 200)), 'is not a complete image'],
    [
      'a PNG of 5,000 pixels a side',
      () => files.file('/j.png', 'image/png', hugePng()),
      'must be at most 4,000 pixels a side and 4 megapixels',
    ],
    [
      'a redirect to a good one',
      () => {
        const good = files.file('/good.png', 'image/png', LOGO);
        return files.serve('/k', (response) => void response.writeHead(302, { location: good }).end());
      },
      NOT_FETCHED,
    ],
    ['404', () => `${files.origin}/absent`, NOT_FETCHED],
    ['206', () => files.serve('/l', (response) => void response.writeHead(206).end(LOGO)), NOT_FETCHED],
    ['500', () => files.serve('/m', (response) => void response.writeHead(500).end(LOGO)), NOT_FETCHED],
    [
      'a connection that ends early',
      () =>
        files.serve('/n', (response) => {
          response.writeHead(200, { 'content-length': String(LOGO.length) });
          response.write(LOGO.subarray(0, 10), () => response.destroy());
        }),
      NOT_FETCHED,
    ],
    ['a private address', () => 'https://10.0.0.7/logo.png', 'must point to a host on the public internet'],
    [
      'loopback in another spelling',
      () => 'https://0x7f000001/logo.png',
      'must point to a host on the public internet',
    ],
    ['IPv6 loopback', () => 'https://[::1]/logo.png', 'must point to a host on the public internet'],
    ['the cloud’s metadata', () => 'https://169.254.169.254/latest', 'must point to a host on the public internet'],
    ['a name of the host itself', () => 'https://localhost/logo.png', 'must point to a host on the public internet'],
    ['a name that leads to a private address', () => 'https://inside.shop.example/logo.png', NOT_FETCHED],
    ['a name that leads to the metadata', () => 'https://metadata.shop.example/logo.png', NOT_FETCHED],
    ['a name that leads here, too', () => 'https://half.shop.example/logo.png', NOT_FETCHED],
    ['a name that leads to ::1', () => 'https://six.shop.example/logo.png', NOT_FETCHED],
    ['a name that there is not', () => 'https://nowhere.shop.example/logo.png', NOT_FETCHED],
    ['plain http', () => 'http://shop.example/logo.png', 'must begin with https://'],
    ['another port', () => 'https://shop.example:22/logo.png', 'must use port 443 or 8443'],
    ['a password', () => 'https://user:secret@shop.example/logo.png', 'must not contain a user name or password'],
    ['a file', () => 'file:///etc/passwd', 'must begin with https://'],
    ['data', () => `data:image/png;base64,${LOGO.toString('base64')}`, 'must begin with https://'],
    ['no address', () => 'logo.png', 'must be an absolute URL'],
    ['an empty address', () => '', 'must be an absolute URL'],
    ['a line break', () => 'https://shop.example/\nlogo.png', 'must be an absolute URL'],
  ])('%s is refused by one stable message, and the former template stays whole', async (_name, logoUrl, message) => {
    // No internal host may be called, nothing executable may be stored, and the message must not reveal what is in the internal network.
    const good = files.file('/stays.png', 'image/png', LOGO);
    const before = await put({ logoUrl: good, companyName: 'Stays' });
    expect(before.status).toBe(200);
    const answer = await put({ logoUrl: logoUrl(), companyName: 'Other' });
    expect(refusal(answer)).toEqual([400, 'VALIDATION_ERROR', { logoUrl: message }]);
    expect((await get()).payload).toEqual(before.payload);
    expect((await shown()).status).toBe(200);
  });

  test('from a server that accepts and never answers is refused in time', async () => {
    // Otherwise a silent server could hold a request for longer than eight seconds.
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const host = hostOf(silent);
    const patient = await billing.world.listen({ allow: host });
    const answer = await billing.send(PATH, {
      method: 'PUT',
      at: patient,
      credentials: shop.test,
      body: { logoUrl: `http://${host}/logo.png` },
    });
    silent.close();
    expect(refusal(answer)).toEqual([400, 'VALIDATION_ERROR', { logoUrl: NOT_FETCHED }]);
  });

  test('set anew takes the place of the former one', async () => {
    await put({ logoUrl: files.file('/one.png', 'image/png', LOGO) });
    await put({ logoUrl: files.file('/two.jpg', 'image/jpeg', JPEG) });
    expect((await shown()).type).toBe('image/jpeg');
  });
});

/** Returns a few bytes that announce a picture large enough to fill the memory. */
function hugePng(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(5_000, 0);
  header.writeUInt32BE(5_000, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return pngOf([
    ['IHDR', header],
    ['IDAT', Buffer.alloc(20)],
    ['IEND', Buffer.alloc(0)],
  ]);
}
