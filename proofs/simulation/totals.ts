import type { SeedResult } from './seed.ts';

export class Totals {
  seeds = 0;
  fakeMs = 0;
  readonly failedSeeds: number[] = [];
  readonly branches = new Map<string, number>();

  add({ seed, violations, branches, fakeMs }: SeedResult): void {
    this.seeds += 1;
    this.fakeMs += fakeMs;
    if (violations.length > 0) {
      this.failedSeeds.push(seed);
    }
    for (const [branch, times] of Object.entries(branches)) {
      this.branches.set(branch, (this.branches.get(branch) ?? 0) + times);
    }
  }

  missedBranches(expected: readonly string[]): string[] {
    return expected.filter((branch) => !this.branches.has(branch));
  }

  /** Returns how often a branch was reached. */
  of(branch: string): number {
    return this.branches.get(branch) ?? 0;
  }
}
