import type { EntityManager } from '../../database/connection.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { cancelFile } from './store/files.ts';
import { readFile, type FileDetail } from './store/file-list.ts';
import { storedBytes } from './stored-bytes.ts';

type Caller = Pick<ActingOperator, 'view' | 'actor'>;
type FileDependencies = Pick<CoreDependencies, 'database'>;

/**
 * Returns the bytes of a file as they were sent, and writes down who asked for them: they hold payers' data.
 *
 * @throws DomainError RESOURCE_NOT_FOUND
 */
export async function openContent(
  { database }: FileDependencies,
  { view, actor }: Caller,
  reference: string,
): Promise<AsyncIterable<Uint8Array>> {
  const { id } = await database.withOperator(view, async (em) => {
    const file = await find(em, reference);
    await recordAudit(em, { actor, action: 'payout-file.downloaded', target: { type: 'payout-file', id: reference } });
    return file;
  });
  return storedBytes((work) => database.withOperator(view, work), id);
}

/**
 * Cancels an import that has not ended. Its worker notices at the next step; what is stored stays.
 *
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE
 */
export function cancelUploaded(
  { database }: FileDependencies,
  { view, actor }: Caller,
  reference: string,
): Promise<FileDetail> {
  return database.withOperator(view, async (em) => {
    const { state } = await find(em, reference);
    if ((await cancelFile(em, reference)) === null) {
      throw new DomainError('INVALID_OPERATION_STATE', `the import has ended: ${state}`);
    }
    await recordAudit(em, { actor, action: 'payout-file.cancelled', target: { type: 'payout-file', id: reference } });
    return find(em, reference);
  });
}

async function find(em: EntityManager, reference: string): Promise<FileDetail> {
  const file = await readFile(em, reference);
  if (file === null) {
    throw notFound('payout file');
  }
  return file;
}
