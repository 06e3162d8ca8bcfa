import { Alert, Group, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Facts } from '../parts/facts.tsx';
import { DataTable, List } from '../parts/list.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { NotFound } from '../shell/not-found.tsx';
import { countOf, dayOf, moneyOf, sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { BankAmountAct } from './bank-amount-act.tsx';
import { PAYOUT_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

type Payout = Schemas['PayoutDetail'];

export function PayoutPage() {
  const { reference } = useParams({ from: '/$mode/payouts/$reference' });
  const { mode } = useMode();
  const payout = useQuery({
    queryKey: ['payout', reference],
    queryFn: () => dataOf(api.GET('/admin/payouts/{reference}', { params: { path: { reference } } })),
  });
  return (
    <LoadedPage asked={payout}>{(data) => (data.mode === mode ? <Detail payout={data} /> : <NotFound />)}</LoadedPage>
  );
}

function Detail({ payout }: { readonly payout: Payout }) {
  const words = useWords(PAYOUT_WORDS);
  const { language } = useLanguage();
  const may = useMay();
  const { currency, residualMinor } = payout;
  const amount = (minor: string | null): string => (minor === null ? words.unknown : sumOf(minor, currency, language));
  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Title order={1} size="h3" className="breaks">
          {payout.gatewayReference}
        </Title>
        {may('reconciliation:manage') && <BankAmountAct payout={payout} />}
      </Group>
      {payout.pendingChanges.length > 0 && <Alert color="orange">{words.waits}</Alert>}
      {residualMinor !== null && (
        <Alert color={residualMinor === '0' ? 'teal' : 'orange'}>
          {residualMinor === '0' ? words.explained : words.unexplained(amount(residualMinor))}
        </Alert>
      )}
      <Facts
        facts={[
          [words.gateway, `${payout.gateway} ${payout.storeId}`],
          [words.status, words.statuses[payout.status]],
          [words.arrives, payout.arrivesOn === null ? '–' : dayOf(payout.arrivesOn, language)],
          [words.linesSum, amount(payout.linesMinor)],
          [words.stated, amount(payout.statedMinor)],
          [words.bank, amount(payout.bankMinor)],
          [words.residual, amount(residualMinor)],
        ]}
      />
      <DataTable
        label={words.kind}
        rows={payout.kinds}
        keyOf={({ kind }) => kind}
        columns={[
          { name: words.kind, cell: ({ kind }) => words.kinds[kind] },
          { name: words.lines, from: 'sm', isNumber: true, cell: ({ lines }) => countOf(lines, language) },
          { name: words.gross, from: 'sm', isNumber: true, cell: ({ grossMinor }) => amount(grossMinor) },
          { name: words.fee, from: 'md', isNumber: true, cell: ({ feeMinor }) => amount(feeMinor) },
          { name: words.tax, from: 'md', isNumber: true, cell: ({ taxMinor }) => amount(taxMinor) },
          { name: words.net, isNumber: true, cell: ({ netMinor }) => amount(netMinor) },
        ]}
      />
      <Lines payout={payout} />
    </Stack>
  );
}

function Lines({ payout: { reference } }: { readonly payout: Payout }) {
  const words = useWords(PAYOUT_WORDS);
  const { language } = useLanguage();
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.lines}
      </Title>
      <List
        label={words.lines}
        queryKey={['payout', reference, 'lines']}
        get={(query) => api.GET('/admin/payouts/{reference}/lines', { params: { path: { reference }, query } })}
        columns={[
          { name: words.kind, cell: ({ kind }) => words.kinds[kind] },
          {
            name: words.transaction,
            cell: ({ gatewayTxnId, attemptReference, lineReference }) =>
              gatewayTxnId ?? attemptReference ?? lineReference ?? '–',
          },
          {
            name: words.happened,
            from: 'md',
            cell: ({ occurredAt }) => (occurredAt === null ? '–' : <Instant at={occurredAt} />),
          },
          {
            name: words.gross,
            from: 'sm',
            isNumber: true,
            cell: ({ grossMinor, currency }) => moneyOf({ amountMinor: grossMinor, currency }, language),
          },
          {
            name: words.fee,
            from: 'md',
            isNumber: true,
            cell: ({ feeMinor, currency }) => moneyOf({ amountMinor: feeMinor, currency }, language),
          },
          {
            name: words.net,
            isNumber: true,
            cell: ({ netMinor, currency }) => moneyOf({ amountMinor: netMinor, currency }, language),
          },
        ]}
        keyOf={({ id }) => id}
        empty={words.noLines}
      />
    </Stack>
  );
}
