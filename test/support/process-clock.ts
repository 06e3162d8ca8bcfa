const RealDate = Date;

/** Runs `work` while this process's clock is off by `offByMs`. The database is another process, and its clock stays right. */
export async function withProcessClock<T>(offByMs: number, work: () => Promise<T>): Promise<T> {
  class WrongDate extends RealDate {
    constructor(...args: unknown[]) {
      if (args.length === 0) {
        super(RealDate.now() + offByMs);
      } else {
        super(...(args as [number]));
      }
    }

    static override now(): number {
      return RealDate.now() + offByMs;
    }
  }
  globalThis.Date = WrongDate as DateConstructor;
  try {
    return await work();
  } finally {
    globalThis.Date = RealDate;
  }
}
