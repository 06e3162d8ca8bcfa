import { Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '../api/client.ts';
import { RefundStatusBadge } from '../parts/status-badge.tsx';
import { OperatorName } from '../session/operator-name.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { dayOf, moneyOf, sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { codeInWords } from './event-words.ts';
import { PAYMENT_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

type Detail = Schemas['PaymentDetail'];

export function RefundsPart({ refunds }: { readonly refunds: Detail['refunds'] }) {
  const { words, language } = useLanguage();
  const { path } = useMode();
  return (
    <Rows
      names={[words.refunds.amount, words.refunds.status, words.refunds.askedBy, words.refunds.asked]}
      rows={refunds.map((refund) => [
        <Link key="link" to="/$mode/refunds/$id" params={{ mode: path, id: refund.id.toString() }}>
          {moneyOf(refund, language)}
        </Link>,
        <RefundStatusBadge key="status" status={refund.status} />,
        <OperatorName key="by" by={refund.createdBy} />,
        <Instant key="at" at={refund.createdAt} />,
      ])}
    />
  );
}

export function LedgerPart({ entries }: { readonly entries: Detail['ledger'] }) {
  const { words, language } = useLanguage();
  return (
    <Rows
      names={[words.payment.debit, words.payment.credit, words.payment.amount, words.payment.created]}
      rows={entries.map((entry) => [
        entry.debit,
        entry.credit,
        moneyOf(entry, language),
        <Instant key="at" at={entry.createdAt} />,
      ])}
    />
  );
}

export function AttemptsPart({
  attempts,
  currency,
}: {
  readonly attempts: Detail['attempts'];
  readonly currency: string;
}) {
  const { words, language } = useLanguage();
  return (
    <Rows
      names={[words.payment.reference, words.payment.gateway, words.payment.state, words.payment.amount]}
      rows={attempts.map(({ reference, gateway, status, grossMinor }) => [
        <AttemptReference key="reference" reference={reference} />,
        gateway,
        codeInWords(status, language),
        grossMinor === null ? '–' : moneyOf({ amountMinor: grossMinor, currency }, language),
      ])}
    />
  );
}

/** Leads to what the gateway has sent for the attempt, word for word. */
function AttemptReference({ reference }: { readonly reference: string }) {
  const words = useWords(PAYMENT_WORDS);
  const { path } = useMode();
  const may = useMay();
  return (
    <>
      {reference}
      {may('audit:read') && (
        <>
          {' · '}
          <Link to="/$mode/callbacks" params={{ mode: path }} search={{ reference }}>
            {words.callbacks}
          </Link>
        </>
      )}
    </>
  );
}

export function UnappliedPart({ unappliedPayments }: { readonly unappliedPayments: Detail['unappliedPayments'] }) {
  const { words, language } = useLanguage();
  return (
    <Rows
      names={[words.payment.amount, words.payment.state, words.payment.created]}
      rows={unappliedPayments.map((one) => [
        moneyOf(one, language),
        codeInWords(one.status, language),
        <Instant key="at" at={one.createdAt} />,
      ])}
    />
  );
}

export function DecisionsPart({ decisions }: { readonly decisions: Detail['decisions'] }) {
  const { words, language } = useLanguage();
  return (
    <Rows
      names={[
        words.payment.decisions,
        words.refunds.askedBy,
        words.refunds.approvedBy,
        words.refunds.reason,
        words.payment.created,
      ]}
      rows={decisions.map((one) => [
        `${codeInWords(one.kind, language)}: ${codeInWords(one.decision, language)}`,
        <OperatorName key="by" by={one.by} />,
        one.secondedBy === null ? '–' : <OperatorName key="seconded" by={one.secondedBy} />,
        one.reason ?? '–',
        <Instant key="at" at={one.createdAt} />,
      ])}
    />
  );
}

/** The lines of payouts that belong to the payment, each with the way to its payout. */
export function PayoutLinesPart({ lines }: { readonly lines: Detail['payoutLines'] }) {
  const words = useWords(PAYMENT_WORDS);
  const { language } = useLanguage();
  const { path } = useMode();
  return (
    <Rows
      names={[words.payout, words.line, words.net, words.arrives, words.match]}
      rows={lines.map((line) => [
        <Link key="link" to="/$mode/payouts/$reference" params={{ mode: path, reference: line.payout }}>
          {line.payout}
        </Link>,
        words.lineKinds[line.kind],
        sumOf(line.netMinor.toString(), line.currency, language),
        line.arrivesOn === null ? '–' : dayOf(line.arrivesOn, language),
        words.matches[line.status],
      ])}
    />
  );
}

/** A plain table; it scrolls by itself where the screen is too narrow. */
function Rows({
  names,
  rows,
}: {
  readonly names: readonly string[];
  readonly rows: readonly (readonly ReactNode[])[];
}) {
  const { words } = useLanguage();
  if (rows.length === 0) {
    return <Text c="dimmed">{words.nothingHere}</Text>;
  }
  return (
    <Table.ScrollContainer type="native" minWidth={480} tabIndex={0}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            {names.map((name) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((cells, row) => (
            <Table.Tr key={row}>
              {cells.map((cell, column) => (
                <Table.Td key={names[column]}>{cell}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
