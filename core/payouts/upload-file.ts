import { createHash } from 'node:crypto';
import { sqlStateOf, type EntityManager } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Mode } from '../../domain/mode.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { payoutFileReference } from '../../domain/references.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { PayoutFileHandle } from '../dispatch.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { FILE_BYTES_MAX, type FileFormat } from './file-bytes-max.ts';
import { STATEMENT_FORMATS } from './files/statements.ts';
import { addChunk, beginUpload, endUpload, removeUpload, sameFile } from './store/files.ts';
import { readFile, type FileDetail } from './store/file-list.ts';
import { currentMapping, readMapping } from './store/mappings.ts';
import { ownersOf } from './store/store-owners.ts';

type UploadDependencies = Pick<CoreDependencies, 'database' | 'gateways' | 'dispatch' | 'log'>;

type Caller = Pick<ActingOperator, 'view' | 'actor' | 'operator'>;

export interface Upload {
  readonly mode: Mode;
  readonly kind: 'lines' | 'statement';
  readonly format: FileFormat;
  /** Of a file of lines. */
  readonly gateway: string | null;
  readonly storeId: string | null;
  /** The owner of the store, where several have one of that name. */
  readonly applicationId: bigint | null;
  readonly name: string;
  /** Null: the store's current mapping. */
  readonly mappingId: bigint | null;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * Stores a file word for word while it comes, and starts its import. A file that is there already, with the same bytes and the same mapping, is
 * returned instead. Of an upload that breaks off nothing stays.
 *
 * @throws DomainError VALIDATION_ERROR, PAYLOAD_TOO_LARGE
 */
export async function uploadFile(
  deps: UploadDependencies,
  caller: Caller,
  { upload, bytes }: { readonly upload: Upload; readonly bytes: AsyncIterable<Uint8Array> },
): Promise<{ readonly file: FileDetail; readonly isKnown: boolean }> {
  const inTransaction = <T>(work: (em: EntityManager) => Promise<T>): Promise<T> =>
    deps.database.withOperator(caller.view, work);
  const reference = payoutFileReference();
  const id = await inTransaction(async (em) => {
    const { mode, kind, format, name } = upload;
    const source = await sourceOf(em, deps, upload);
    return beginUpload(em, { reference, mode, kind, format, name, operatorId: caller.operator.id, ...source });
  });
  try {
    const digest = await store(inTransaction, { fileId: id, format: upload.format, bytes });
    const known = await end(inTransaction, caller, { id, reference, digest });
    if (known !== null) {
      await remove(inTransaction, id);
    }
    const file = await inTransaction((em) => readFile(em, known ?? reference));
    if (file === null) {
      throw new Error('the uploaded file has gone');
    }
    startImport(deps, file);
    return { file, isKnown: known !== null };
  } catch (error) {
    await remove(inTransaction, id).catch((failed: unknown) => {
      deps.log.warn({ file: reference, error: describeError(failed) }, 'an upload was not removed; the sweeper does');
    });
    throw error;
  }
}

type InTransaction = <T>(work: (em: EntityManager) => Promise<T>) => Promise<T>;

interface Source {
  readonly gateway: string | null;
  readonly storeId: string | null;
  readonly storeApplicationId: bigint | null;
  readonly mappingId: bigint | null;
}

async function sourceOf(em: EntityManager, deps: UploadDependencies, upload: Upload): Promise<Source> {
  const isStatement = STATEMENT_FORMATS.some((format) => format === upload.format);
  if (isStatement !== (upload.kind === 'statement')) {
    throw invalid('format', `is no format of a file of kind ${upload.kind}`);
  }
  if (isStatement) {
    refuseGiven(upload, ['gateway', 'storeId', 'applicationId', 'mappingId']);
    return { gateway: null, storeId: null, storeApplicationId: null, mappingId: null };
  }
  const { gateway, storeId } = upload;
  if (gateway === null || !deps.gateways.names.includes(gateway)) {
    throw invalid('gateway', gateway === null ? 'is required' : 'is not a gateway');
  }
  if (storeId === null) {
    throw invalid('storeId', 'is required');
  }
  return {
    gateway,
    storeId,
    storeApplicationId: await ownerOf(em, deps, { ...upload, gateway, storeId }),
    mappingId: await mappingOf(em, { ...upload, gateway, storeId }),
  };
}

function refuseGiven(upload: Upload, members: readonly (keyof Upload)[]): void {
  for (const member of members) {
    if (upload[member] !== null) {
      throw invalid(member, 'belongs to no bank statement');
    }
  }
}

interface StoreOfFile {
  readonly mode: Mode;
  readonly gateway: string;
  readonly storeId: string;
  readonly applicationId: bigint | null;
  readonly mappingId: bigint | null;
  readonly format: FileFormat;
}

/** Returns who owns the store: an application, or null for the installation. */
async function ownerOf(
  em: EntityManager,
  { gateways }: UploadDependencies,
  { mode, gateway, storeId, applicationId }: StoreOfFile,
): Promise<bigint | null> {
  const owners = await ownersOf(em, { mode, gateway, storeId });
  if (gateways.defaultStoreId(gateway, mode) === storeId && !owners.includes(null)) {
    owners.push(null);
  }
  const [owner = null] = owners;
  if (owners.length === 0 || (applicationId !== null && !owners.includes(applicationId))) {
    throw invalid('storeId', 'is not a store at this gateway in this mode');
  }
  if (applicationId === null && owners.length > 1 && !owners.includes(null)) {
    throw invalid('applicationId', 'is required: several applications have a store of this name');
  }
  return applicationId ?? (owners.includes(null) ? null : owner);
}

async function mappingOf(em: EntityManager, { gateway, storeId, mappingId, format }: StoreOfFile): Promise<bigint> {
  const found = mappingId === null ? await currentMapping(em, { gateway, storeId }) : await readMapping(em, mappingId);
  if (found === null) {
    throw invalid(
      'mappingId',
      mappingId === null ? 'is required: no mapping is saved for this store' : 'is not a mapping',
    );
  }
  if (found.gateway !== gateway || (found.storeId !== null && found.storeId !== storeId)) {
    throw invalid('mappingId', 'is the mapping of another store');
  }
  if (PayoutMapping.parse(JSON.parse(found.mapping)).format !== format) {
    throw invalid('mappingId', 'is the mapping of another format');
  }
  return found.id;
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { [field]: message } });
}

interface Bytes {
  readonly fileId: bigint;
  readonly format: FileFormat;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Stores the bytes in pieces, each in a transaction of its own. Returns their digest. */
async function store(inTransaction: InTransaction, { fileId, format, bytes }: Bytes): Promise<Uint8Array> {
  const digest = createHash('sha256');
  const bytesMax = FILE_BYTES_MAX[format];
  let total = 0;
  let number = 0;
  for await (const chunk of inChunks(bytes)) {
    total += chunk.length;
    if (total > bytesMax) {
      throw new DomainError('PAYLOAD_TOO_LARGE', `a file of the format ${format} has at most ${bytesMax} bytes`);
    }
    digest.update(chunk);
    if (!(await inTransaction((em) => addChunk(em, { fileId, number, bytes: chunk })))) {
      throw invalid('body', 'came too slowly');
    }
    number += 1;
  }
  if (total === 0) {
    throw invalid('body', 'is empty');
  }
  return digest.digest();
}

/** Yields the same bytes in pieces of one size. */
async function* inChunks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const piece of bytes) {
    for (let start = 0; start < piece.length;) {
      const part = piece.subarray(start, start + CHUNK_BYTES - size);
      waiting.push(part);
      size += part.length;
      start += part.length;
      if (size === CHUNK_BYTES) {
        yield Buffer.concat(waiting);
        waiting = [];
        size = 0;
      }
    }
  }
  if (size > 0) {
    yield Buffer.concat(waiting);
  }
}

interface Uploaded {
  readonly id: bigint;
  readonly reference: string;
  readonly digest: Uint8Array;
}

/** Makes the upload a file. Returns the reference of the same file, if there is one; of two at once, one comes first by the unique index. */
async function end(
  inTransaction: InTransaction,
  { actor }: Caller,
  { id, reference, digest }: Uploaded,
): Promise<string | null> {
  const same = (): Promise<string | null> => inTransaction((em) => sameFile(em, { id, digest }));
  const known = await same();
  if (known !== null) {
    return known;
  }
  try {
    await inTransaction(async (em) => {
      if (!(await endUpload(em, { id, digest }))) {
        throw invalid('body', 'came too slowly');
      }
      await recordAudit(em, {
        actor,
        action: 'payout-file.uploaded',
        target: { type: 'payout-file', id: reference },
        after: { digest: Buffer.from(digest).toString('hex') },
      });
    });
    return null;
  } catch (error) {
    if (sqlStateOf(error) !== '23505') {
      throw error;
    }
    return same();
  }
}

async function remove(inTransaction: InTransaction, fileId: bigint): Promise<void> {
  while (!(await inTransaction((em) => removeUpload(em, fileId)))) {
    // Some of its pieces are left.
  }
}

/** Does not wait: if Temporal is away, the sweeper starts the import. */
function startImport({ dispatch, log }: UploadDependencies, { state, ...detail }: FileDetail): void {
  if (state !== 'UPLOADED') {
    return;
  }
  const { reference, mode, gateway, storeId, digest } = detail;
  const file: PayoutFileHandle = { reference, mode, gateway, storeId, digest };
  dispatch.startPayoutImport(file).catch((error: unknown) => {
    log.warn({ file: reference, error: describeError(error) }, 'payout import not started; a later sweep retries');
  });
}
