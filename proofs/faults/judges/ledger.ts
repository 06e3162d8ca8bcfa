import type { Judge } from './judge.ts';

/** I1. Computed from the harness's own sums over both sides of every posting. */
export const ledgerBalances: Judge = ({ accounts }) => {
  const currencies = new Set(accounts.map(({ currency }) => currency));
  return {
    judged: accounts.length,
    violations: [...currencies].flatMap((currency) => {
      const own = accounts.filter((account) => account.currency === currency);
      const debits = total(own.map(({ debitsMinor }) => debitsMinor));
      const credits = total(own.map(({ creditsMinor }) => creditsMinor));
      return debits === credits ? [] : [`${currency}: debits ${debits}, credits ${credits}`];
    }),
  };
};

/** I2. Compares the balances that the product reports with the sums of the rows. */
export const balancesAreSums: Judge = ({ accounts }) => ({
  judged: accounts.length,
  violations: accounts.flatMap(({ account, currency, normalSide, debitsMinor, creditsMinor, statedMinor }) => {
    const difference = BigInt(debitsMinor) - BigInt(creditsMinor);
    const sum = normalSide === 'debit' ? difference : -difference;
    return sum.toString() === statedMinor
      ? []
      : [`${account} (${currency}) is stated as ${statedMinor}, its postings add up to ${sum}`];
  }),
});

/** I12. */
export const chainVerifies: Judge = ({ findings, proved }) => ({ judged: proved, violations: findings });

function total(amounts: readonly string[]): bigint {
  return amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
}
