import { Card, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../../domain/calendar.ts';
import { addDays } from '../../../../domain/plain-date.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Loaded } from '../parts/loaded.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';

const EVERY_MS = 30_000;
const calendar = calendarIn(BUSINESS_TIME_ZONE);

/** Today beside the same day of the week before, up to the same time. */
export function TodayPart() {
  const { words } = useLanguage();
  return (
    <Stack component="section" aria-labelledby="today">
      <Title order={2} size="h4" id="today">
        {words.home.payments}
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <DayCard name={words.home.today} daysAgo={0} />
        <DayCard name={words.home.weekBefore} daysAgo={7} />
      </SimpleGrid>
    </Stack>
  );
}

function DayCard({ name, daysAgo }: { readonly name: string; readonly daysAgo: number }) {
  const { words } = useLanguage();
  const { mode } = useMode();
  const summary = useQuery({
    queryKey: ['summary', mode, daysAgo],
    queryFn: () => dataOf(api.GET('/admin/reports/summary', { params: { query: { mode, ...periodOf(daysAgo) } } })),
    refetchInterval: EVERY_MS,
  });
  return (
    <Card withBorder>
      <Title order={3} size="h5" mb="xs">
        {name}
      </Title>
      <Loaded asked={summary}>
        {({ currencies }) =>
          currencies.length === 0 ? (
            <Text c="dimmed">{words.home.noPayments}</Text>
          ) : (
            currencies.map((one) => <CurrencyTable key={one.currency} sums={one} />)
          )
        }
      </Loaded>
    </Card>
  );
}

function CurrencyTable({ sums }: { readonly sums: Schemas['ReportSummary']['currencies'][number] }) {
  const { words, language } = useLanguage();
  const { currency } = sums;
  const count = Object.values(sums.payments).reduce((sum, ofStatus) => sum + ofStatus, 0);
  const rows = [
    [words.home.payments, countOf(count, language)],
    [words.home.paid, moneyOf({ amountMinor: sums.grossMinor, currency }, language)],
    [words.home.refunded, moneyOf({ amountMinor: sums.refundedMinor, currency }, language)],
    [words.home.fees, moneyOf({ amountMinor: sums.feeMinor, currency }, language)],
  ] as const;
  return (
    <Table aria-label={currency}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row">{name}</Table.Th>
            <Table.Td ta="right" className="tabular">
              {value}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** From the beginning of a business day to the same time of day as now. */
function periodOf(daysAgo: number): { from: string; to: string } {
  const now = new Date();
  const then = new Date(now.getTime() - daysAgo * 86_400_000);
  return { from: calendar.startOf(addDays(calendar.today(now), -daysAgo)).toISOString(), to: then.toISOString() };
}
