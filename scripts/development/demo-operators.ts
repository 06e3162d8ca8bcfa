import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { openDatabase, type Database } from '../../database/connection.ts';
import { Operator } from '../../database/entities/operator.ts';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { lockSuperAdmins } from '../../core/operators/store/last-super-admin.ts';
import { insertOperator } from '../../core/operators/store/operators.ts';
import { hashPassword, passwordMatches } from '../../core/operators/passwords.ts';
import { readRoleByName, replaceGrants } from '../../core/operators/store/roles.ts';
import { demoOperator, type DemoOperator } from './dev-file.ts';
import type { DemoSeed } from './demo-apps.ts';
import { readPrivateJson, writePrivateJson } from '../shared/private-files.ts';

/** The first one is a Super Admin, so that one exists from here on. */
const ROLES = ['Super Admin', 'Admin', 'Finance', 'Support', 'Viewer'] as const;
const remembered = z.array(demoOperator);

/**
 * Creates the demo's operators the first time, one for each seeded role, with random passwords that are stored in a file readable only by its owner.
 * An operator whose stored password no longer works is left alone, and a new one is created for the role.
 */
export async function seedDemoOperators({
  directory,
  databaseUrl,
}: Omit<DemoSeed, 'masterKey'>): Promise<DemoOperator[]> {
  const file = join(directory, 'demo-operators.json');
  const known = readPrivateJson(file, remembered) ?? [];
  const database = await openDatabase({ url: databaseUrl, poolSize: 2 });
  try {
    const operators: DemoOperator[] = [];
    for (const role of ROLES) {
      const before = known.find((operator) => operator.role === role);
      operators.push(before !== undefined && (await logsIn(database, before)) ? before : await create(database, role));
    }
    writePrivateJson(file, operators);
    return operators;
  } finally {
    await database.close();
  }
}

async function logsIn(database: Database, { email, password }: DemoOperator): Promise<boolean> {
  const operator = await database.withOperator([], (em) => em.findOne(Operator, { email, status: 'ACTIVE' }));
  return operator !== null && passwordMatches(password, operator.passwordHash ?? null);
}

async function create(database: Database, role: string): Promise<DemoOperator> {
  const name = `${role} of the demo`;
  const password = randomBytes(18).toString('base64url');
  const passwordHash = await hashPassword(password);
  return database.withOperator('every-app', async (em) => {
    await lockSuperAdmins(em);
    const email = await freeAddress(async (address) => (await em.count(Operator, { email: address })) === 0, role);
    const { id: roleId } = await readRoleByName(em, role);
    const operatorId = await insertOperator(em, { email, name, passwordHash, passwordTemporary: false });
    await replaceGrants(em, { operatorId, grants: [{ roleId, applicationId: null }] });
    const actor = { type: 'SYSTEM', id: null, name: 'npm start' } as const;
    const target = { type: 'operator', id: operatorId };
    await recordAudit(em, { actor, action: 'operator.created', target, after: { email, name, role } });
    return { email, password, role };
  });
}

/** Returns `super-admin@lenden.example`, with a number if that address is already taken. */
async function freeAddress(isFree: (email: string) => Promise<boolean>, role: string): Promise<string> {
  const local = role.toLowerCase().replace(' ', '-');
  for (let number = 1; number < 1_000; number += 1) {
    const email = `${local}${number === 1 ? '' : `-${number}`}@lenden.example`;
    if (await isFree(email)) {
      return email;
    }
  }
  throw new Error(`The demo has too many operators of the role ${role}.`);
}
