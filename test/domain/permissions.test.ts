import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isInView, isSuperAdmin, mayGrant, PERMISSIONS, viewFor, type Grant } from '../../domain/permissions.ts';

const grant = fc.record({
  permissions: fc.subarray([...PERMISSIONS]),
  everything: fc.boolean(),
  applicationId: fc.option(fc.bigInt(1n, 4n), { nil: null }),
});
const grants = fc.array(grant, { maxLength: 4 });
const permission = fc.constantFrom(...PERMISSIONS);

const plain = (permissions: Grant['permissions'], applicationId: bigint | null = null): Grant => ({
  permissions,
  everything: false,
  applicationId,
});

describe('what is held', () => {
  test('is held where it was granted, and nowhere else', () => {
    // An operator of one application has no rights in another.
    const held = [plain(['app:read'], 1n), plain(['app:read', 'refund:read'], 2n)];
    expect(viewFor(held, 'app:read')).toEqual([1n, 2n]);
    expect(viewFor(held, 'refund:read')).toEqual([2n]);
    expect(viewFor(held, 'user:manage')).toEqual([]);
    expect(viewFor([...held, plain(['refund:read'])], 'refund:read')).toBe('every-app');
    expect(isInView([2n], 1n)).toBe(false);
  });

  test('never shrinks by a further grant', () => {
    fc.assert(
      fc.property(grants, grant, permission, fc.bigInt(1n, 4n), (own, more, wanted, application) => {
        const before = viewFor(own, wanted);
        const after = viewFor([...own, more], wanted);
        return !isInView(before, application) || isInView(after, application);
      }),
    );
  });
});

describe('giving', () => {
  test('cannot lead to more than the giver holds', () => {
    // Operators must not be able to gain rights through another operator to whom they grant them.
    fc.assert(
      fc.property(grants, grant, permission, fc.bigInt(1n, 5n), (own, other, wanted, application) => {
        fc.pre(mayGrant(own, other));
        return !isInView(viewFor([other], wanted), application) || isInView(viewFor(own, wanted), application);
      }),
    );
  });

  test('everything is for a Super Admin of every application', () => {
    // A Super Admin of a single application cannot create another one, even for that application.
    const everything = { permissions: [], everything: true, applicationId: null };
    expect(mayGrant([everything], everything)).toBe(true);
    expect(mayGrant([plain([...PERMISSIONS])], everything)).toBe(false);
    expect(mayGrant([{ ...everything, applicationId: 1n }], { ...everything, applicationId: 1n })).toBe(false);
    expect(isSuperAdmin([{ ...everything, applicationId: 1n }])).toBe(false);
  });

  test('everywhere needs holding everywhere', () => {
    // A role held in one application cannot be granted for all of them.
    expect(mayGrant([plain(['app:read'], 1n)], plain(['app:read'], 1n))).toBe(true);
    expect(mayGrant([plain(['app:read'], 1n)], plain(['app:read'], 2n))).toBe(false);
    expect(mayGrant([plain(['app:read'], 1n)], plain(['app:read']))).toBe(false);
    expect(mayGrant([plain(['app:read'])], plain(['app:read'], 2n))).toBe(true);
  });
});
