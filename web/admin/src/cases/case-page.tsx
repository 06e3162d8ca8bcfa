import { Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Facts } from '../parts/facts.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { PaymentLink } from '../payments/payment-link.tsx';
import { useMode } from '../shell/mode.ts';
import { NotFound } from '../shell/not-found.tsx';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { CaseActions } from './case-actions.tsx';
import { CaseHistory } from './case-history.tsx';
import { ProposalsPart } from './proposals-part.tsx';
import { CASE_WORDS } from './words.ts';

const EVERY_MS = 5_000;

type Case = Schemas['ReconciliationCaseDetail'];

export function CasePage() {
  const { reference } = useParams({ from: '/$mode/cases/$reference' });
  const { mode } = useMode();
  const found = useQuery({
    queryKey: ['case', reference],
    queryFn: () => dataOf(api.GET('/admin/reconciliation/cases/{reference}', { params: { path: { reference } } })),
    refetchInterval: ({ state }) => (state.data?.state === 'RESOLVED' ? false : EVERY_MS),
  });
  return (
    <LoadedPage asked={found}>{(data) => (data.mode === mode ? <Detail found={data} /> : <NotFound />)}</LoadedPage>
  );
}

function Detail({ found }: { readonly found: Case }) {
  const words = useWords(CASE_WORDS);
  const { language } = useLanguage();
  const { path } = useMode();
  const { result, payout, resolution } = found;
  return (
    <Stack>
      <Stack gap={0}>
        <Title order={1} size="h3">
          {words.reasons[found.reason] ?? found.reason}
        </Title>
        <Text size="xl" fw={700} className="tabular">
          {moneyOf(found, language)}
        </Text>
        <Text>
          {words.states[found.state]}
          {resolution !== null && `: ${words.resolutions[resolution]}`}
        </Text>
      </Stack>
      {result !== null && <Text>{result.detail}</Text>}
      <Facts
        facts={[
          [words.kind, words.kinds[found.kind]],
          [words.gateway, result === null ? found.gateway : `${found.gateway} ${result.storeId}`],
          [words.owner, found.owner?.name ?? words.nobody],
          [words.age, words.days(countOf(found.ageDays, language))],
          ...(result === null ? [] : differenceFacts(words, result, (minor) => amountOf(minor, found, language))),
        ]}
      />
      <Group>
        {result !== null && result.paymentId !== null && result.paymentReference !== null && (
          <PaymentLink id={result.paymentId} reference={result.paymentReference} />
        )}
        {payout !== null && (
          <Link to="/$mode/payouts/$reference" params={{ mode: path, reference: payout }}>
            {words.payout}
          </Link>
        )}
      </Group>
      <CaseActions found={found} />
      <LinePart found={found} />
      <ProposalsPart found={found} />
      <CaseHistory found={found} />
    </Stack>
  );
}

function amountOf(amountMinor: number | null, { currency }: Case, language: 'en' | 'bn'): string {
  return amountMinor === null ? '–' : moneyOf({ amountMinor, currency }, language);
}

function differenceFacts(
  words: (typeof CASE_WORDS)['en'],
  result: NonNullable<Case['result']>,
  amount: (minor: number | null) => string,
): [string, string][] {
  return [
    [words.expected, amount(result.expectedMinor)],
    [words.settled, amount(result.settledMinor)],
    [words.feeExpected, amount(result.feeExpectedMinor)],
    [words.feeSettled, amount(result.feeSettledMinor)],
  ];
}

function LinePart({ found: { line } }: { readonly found: Case }) {
  const words = useWords(CASE_WORDS);
  const { language } = useLanguage();
  if (line === null) {
    return null;
  }
  const amount = (amountMinor: number): string => moneyOf({ amountMinor, currency: line.currency }, language);
  return (
    <Card withBorder component="section">
      <Title order={2} size="h4" mb="xs">
        {words.line}
      </Title>
      <Facts
        facts={[
          [words.lineKind, line.kind],
          [words.transaction, line.gatewayTxnId ?? '–'],
          [words.ourReference, line.attemptReference ?? '–'],
          [words.gross, amount(line.grossMinor)],
          [words.net, amount(line.netMinor)],
          [words.description, line.description ?? '–'],
        ]}
      />
    </Card>
  );
}
