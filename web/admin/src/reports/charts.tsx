import { Card, SimpleGrid, Title } from '@mantine/core';
import type { ReactElement } from 'react';
import { Bar, BarChart, Line, LineChart, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import type { Schemas } from '../api/client.ts';
import { countOf, dayOf, shortInstantOf, sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { seriesOf } from './series.ts';
import { REPORT_WORDS } from './words.ts';

const HEIGHT = 220;
const AXIS = { tick: { fill: 'var(--mantine-color-text)', fontSize: 12 }, stroke: 'var(--mantine-color-dimmed)' };
const COLOR = 'var(--mantine-primary-color-filled)';

/** Pictures of the table beneath, which says the same in figures. */
export function Charts({ rows, by }: { readonly rows: Schemas['PaymentReport']['rows']; readonly by: 'hour' | 'day' }) {
  const words = useWords(REPORT_WORDS);
  const { language } = useLanguage();
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      {[...seriesOf(rows)].flatMap(([currency, points]) => {
        const data = points.map((point) => ({
          ...point,
          label: by === 'day' ? dayOf(point.date, language) : shortInstantOf(point.from, language),
        }));
        return [
          <Chart key={`${currency} volume`} name={words.volume(currency)}>
            <BarChart data={data} accessibilityLayer={false}>
              <XAxis dataKey="label" {...AXIS} minTickGap={24} />
              <YAxis
                {...AXIS}
                width={96}
                tickFormatter={(minor: number) => sumOf(Math.round(minor).toString(), currency, language)}
              />
              <Bar dataKey="grossMinor" fill={COLOR} isAnimationActive={false} />
            </BarChart>
          </Chart>,
          <Chart key={`${currency} success`} name={words.successOf(currency)}>
            <LineChart data={data} accessibilityLayer={false}>
              <XAxis dataKey="label" {...AXIS} minTickGap={24} />
              <YAxis
                {...AXIS}
                width={56}
                domain={[0, 100]}
                tickFormatter={(percent: number) => `${countOf(percent, language)} %`}
              />
              <Line dataKey="successPercent" stroke={COLOR} strokeWidth={2} dot={{ r: 2 }} isAnimationActive={false} />
            </LineChart>
          </Chart>,
        ];
      })}
    </SimpleGrid>
  );
}

function Chart({ name, children }: { readonly name: string; readonly children: ReactElement }) {
  return (
    <Card withBorder component="section" aria-label={name}>
      <Title order={2} size="h5">
        {name}
      </Title>
      <div aria-hidden="true">
        <ResponsiveContainer width="100%" height={HEIGHT}>
          {children}
        </ResponsiveContainer>
      </div>
    </Card>
  );
}
