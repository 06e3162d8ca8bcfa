import { cancelUploaded } from '../../../core/payouts/operator-files.ts';
import { saveNewMapping } from '../../../core/payouts/save-mapping.ts';
import { uploadFile, type Upload } from '../../../core/payouts/upload-file.ts';
import { changeMatchSettings } from '../../../core/reconciliation/change-match-settings.ts';
import { cancelOwnRun } from '../../../core/reconciliation/cancel-run.ts';
import { startRuns } from '../../../core/reconciliation/start-runs.ts';
import { addDays } from '../../../domain/plain-date.ts';
import { DomainError } from '../../../domain/errors.ts';
import { PayoutMapping } from '../../../domain/payouts/mapping.ts';
import { WORKFLOW_TYPES, workflowIds } from '../../../workflows/messages/names.ts';
import type { ActingOperator } from '../../../core/operators/acting-operator.ts';
import type { PgliteServer } from '../pglite/server.ts';
import type { Random } from '../random.ts';
import { GATEWAY, MAPPING, STORE, type PayoutGateway } from './gateway.ts';
import type { Act } from './plan.ts';
import { CALENDAR, type PayoutWorld } from './world.ts';

const MODE = 'LIVE';
const PIECE_BYTES = 700;
/** Shorter than the answer's own limit, so that a person asks again while a run goes on. */
const WAIT_MS = 10_000;

/** What was uploaded, by the reference of the file. */
export interface Uploaded {
  readonly reference: string;
  readonly rows: number;
}

/** The people of the finance department, and the schedule. They see to it that each request is answered. */
export class FinancePeople {
  readonly uploaded: Uploaded[] = [];
  /** Imports that somebody has asked to stop. */
  readonly cancelled = new Set<string>();
  private readonly world: PayoutWorld;
  private readonly server: PgliteServer;
  private readonly gateway: PayoutGateway;
  private readonly random: Random;
  private readonly operatorId: bigint;
  private last: string | null = null;
  private files = 0;

  constructor({
    world,
    server,
    gateway,
    random,
    operatorId,
  }: {
    readonly world: PayoutWorld;
    readonly server: PgliteServer;
    readonly gateway: PayoutGateway;
    readonly random: Random;
    readonly operatorId: bigint;
  }) {
    this.world = world;
    this.server = server;
    this.gateway = gateway;
    this.random = random;
    this.operatorId = operatorId;
  }

  private get caller() {
    const { operatorId: id } = this;
    return {
      view: 'every-app' as const,
      actor: { type: 'USER' as const, id, name: 'finance@example.com' },
      operator: { id },
    } as unknown as ActingOperator;
  }

  /** @param api - whether the gateway's own API is trusted */
  async prepare(api: boolean): Promise<void> {
    await this.saveMapping();
    if (api) {
      await this.world.insist((deps) =>
        changeMatchSettings(deps, this.caller, { gateway: GATEWAY, chosen: { trustedStores: [STORE] } }),
      );
    }
  }

  private async saveMapping(): Promise<void> {
    await this.world.insist((deps) =>
      saveNewMapping(deps, this.caller, { gateway: GATEWAY, storeId: null, mapping: PayoutMapping.parse(MAPPING) }),
    );
  }

  /** Does what the slot says. What it draws, it draws at once, so that a disturbed telling draws the same. */
  async act(act: Act): Promise<void> {
    const { world, random, gateway } = this;
    const today = CALENDAR.today(new Date(world.timeline.nowMs));
    const day = random.chance(0.5) ? today : addDays(today, -random.between(1, 3));
    const text = gateway.file({ all: act === 'upload all' });
    const other = gateway.file();
    const afterMs = random.between(1, 400);
    switch (act) {
      case 'wait':
        break;
      case 'upload':
      case 'upload all':
        await this.upload(text);
        break;
      case 'upload again':
        await this.upload(this.last ?? text);
        break;
      case 'upload twice at once':
        await Promise.all([this.upload(text), this.upload(random.chance(0.5) ? text : other)]);
        break;
      case 'upload and run':
        await Promise.all([this.upload(text), this.after(afterMs, () => this.run(day))]);
        break;
      case 'upload and cancel':
        await this.upload(text, (reference) => this.after(afterMs, () => this.cancelImport(reference)));
        break;
      case 'upload and cancel the workflow':
        await this.upload(text, (reference) => this.after(afterMs, () => this.cancelWorkflow(reference)));
        break;
      case 'upload and cancel its run':
        await this.upload(text, () => this.after(afterMs, () => this.cancelRun()));
        break;
      case 'statement': {
        const statement = gateway.statement(today);
        if (statement !== null) {
          await this.uploadStatement(statement);
        }
        break;
      }
      case 'run':
        await this.run(day);
        break;
      case 'run twice at once':
        await Promise.all([this.run(day), this.run(day)]);
        break;
      case 'run and cancel':
        await Promise.all([this.run(day), this.after(afterMs, () => this.cancelRun())]);
        break;
      case 'run all':
        await this.runEveryDay();
        break;
      case 'schedule':
        this.schedule(today);
        break;
    }
  }

  private async after(ms: number, work: () => Promise<void>): Promise<void> {
    await this.world.timeline.pause(ms);
    await work();
  }

  private async upload(
    text: string,
    then: (reference: string) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    this.files += 1;
    this.last = text;
    const name = `file ${this.files}.csv`;
    const reference = await this.send(text, {
      mode: MODE,
      kind: 'lines',
      format: 'csv',
      gateway: GATEWAY,
      storeId: STORE,
      applicationId: null,
      name,
      mappingId: null,
    });
    this.uploaded.push({ reference, rows: text.trim().split('\n').length - 1 });
    await then(reference);
  }

  private async uploadStatement(text: string): Promise<void> {
    const reference = await this.send(text, {
      mode: MODE,
      kind: 'statement',
      format: 'mt940',
      gateway: null,
      storeId: null,
      applicationId: null,
      name: 'statement.sta',
      mappingId: null,
    });
    this.uploaded.push({ reference, rows: text.split(':61:').length - 1 });
  }

  private send(text: string, upload: Upload): Promise<string> {
    return this.world.insist(async (deps) => {
      const { file, isKnown } = await uploadFile(deps, this.caller, { upload, bytes: this.inPieces(text) });
      this.world.reached(isKnown ? 'upload: known' : 'upload: new');
      return file.reference;
    });
  }

  private async *inPieces(text: string): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(text);
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      await this.world.timeline.pause(1);
      yield bytes.subarray(start, start + PIECE_BYTES);
    }
  }

  private async run(period: string): Promise<void> {
    await this.world.insist((deps) =>
      startRuns(deps, this.caller, { mode: MODE, period, gateways: [GATEWAY], waitMs: WAIT_MS }),
    );
  }

  private async runEveryDay(): Promise<void> {
    for (const day of await this.days()) {
      await this.run(day);
    }
  }

  /** The days on which money moved, and today. */
  private async days(): Promise<string[]> {
    const found = await this.server.read<{ day: string }>(
      `select distinct (ended_at at time zone 'Asia/Dhaka')::date::text as day from payments where ended_at is not null
       union select (ended_at at time zone 'Asia/Dhaka')::date::text from refunds where ended_at is not null
       union select (created_at at time zone 'Asia/Dhaka')::date::text from unapplied_payments`,
    );
    const today = CALENDAR.today(new Date(this.world.timeline.nowMs));
    return [...new Set([...found.map(({ day }) => day), today])].toSorted();
  }

  /** Starts what Temporal's schedule starts, which nobody awaits. */
  private schedule(today: string): void {
    const { temporal } = this.world;
    temporal.start({
      workflowId: `reconciliation-schedule:${today}`,
      type: WORKFLOW_TYPES.scheduledReconciliation,
      args: [{ mode: MODE, gateway: GATEWAY }],
    });
  }

  private async cancelImport(reference: string): Promise<void> {
    await this.unlessEnded(async () => {
      await this.world.insist((deps) => cancelUploaded(deps, this.caller, reference));
      this.cancelled.add(reference);
      this.world.reached('import: cancelled by a person');
    });
  }

  private cancelWorkflow(reference: string): Promise<void> {
    const run = this.world.temporal.runs.get(workflowIds.payoutImport(reference));
    if (run?.status === 'running') {
      this.cancelled.add(reference);
      this.world.temporal.cancel(run);
      this.world.reached('import: its workflow cancelled');
    }
    return Promise.resolve();
  }

  private async cancelRun(): Promise<void> {
    const [running] = await this.server.read<{ reference: string }>(
      `select reference from reconciliation_runs where state = 'RUNNING' order by id desc limit 1`,
    );
    if (running !== undefined) {
      await this.unlessEnded(async () => {
        await this.world.insist((deps) => cancelOwnRun(deps, this.caller, running.reference));
        this.world.reached('run: cancelled by a person');
      });
    }
  }

  private async unlessEnded(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      if (!(error instanceof DomainError && error.code === 'INVALID_OPERATION_STATE')) {
        throw error;
      }
    });
  }
}
