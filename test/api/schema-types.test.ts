import { expect, test } from '@jest/globals';
import { adminRoutes } from '../../api/admin/routes.ts';
import { nativeRoutes } from '../../api/native/routes.ts';
import { ownpayRoutes } from '../../api/ownpay/routes.ts';
import { publishedNativeDocument } from '../../api/docs/native-document.ts';
import { publishedOwnpayDocument } from '../../api/docs/ownpay-document.ts';
import { publishedShadhinpayDocument } from '../../api/docs/shadhinpay-document.ts';
import { shadhinpayRoutes } from '../../api/shadhinpay/routes.ts';
import { idleDependencies } from '../../scripts/testing/idle-dependencies.ts';

const idle = idleDependencies();

/** Members whose values are data, not schemas. */
const DATA: ReadonlySet<string> = new Set([
  'example',
  'examples',
  'default',
  'enum',
  'const',
  'security',
  'x-permission',
]);

/** Returns the paths of schemas that leave open what a typed language has to know. */
function untyped(node: unknown, path: string): string[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  if (Array.isArray(node)) {
    return node.flatMap((member, index) => untyped(member, `${path}/${index}`));
  }
  const schema = node as Readonly<Record<string, unknown>>;
  // `properties` and similar members map names to schemas, so a member of theirs named `const` or `type` is a property.
  const isMap = /\/(properties|schemas|headers|patternProperties)$/.test(path);
  const types = [schema['type']].flat();
  const own = isMap
    ? []
    : [
        ...(('const' in schema || 'enum' in schema) && schema['type'] === undefined
          ? [`${path}: a value and no type`]
          : []),
        ...(types.includes('array') && !('items' in schema) ? [`${path}: an array and no items`] : []),
      ];
  const inner = Object.entries(schema).filter(([name]) => isMap || !DATA.has(name));
  return [...own, ...inner.flatMap(([name, member]) => untyped(member, `${path}/${name}`))];
}

test.each([
  ['native, with the operators’ routes', publishedNativeDocument([...nativeRoutes(idle), ...adminRoutes(idle)])],
  ['OwnPay', publishedOwnpayDocument(ownpayRoutes(idle))],
  ['ShadhinPay', publishedShadhinpayDocument(shadhinpayRoutes(idle))],
])('every schema of the document names its type: %s', (_contract, document) => {
  // Clients generated for typed languages do not compile from a value without a type or a list without an item type.
  expect(untyped(document, '#')).toEqual([]);
  expect(JSON.stringify(document)).toContain('"const":');
});

test('a schema without a type, and a list without items, are found', () => {
  // A check that never finds anything would prove nothing.
  const wrong = {
    headers: { Replayed: { schema: { const: 'true' } } },
    properties: { const: { enum: ['a'] }, list: { anyOf: [{ type: ['array', 'null'], maxItems: 0 }] } },
    right: { type: 'string', const: 'x', examples: [{ const: 1 }] },
  };
  expect(untyped(wrong, '#')).toEqual([
    '#/headers/Replayed/schema: a value and no type',
    '#/properties/const: a value and no type',
    '#/properties/list/anyOf/0: an array and no items',
  ]);
});
