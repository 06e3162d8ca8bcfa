import { Text, Timeline } from '@mantine/core';
import type { Schemas } from '../api/client.ts';
import { exactInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';

export function TimelinePart({ timeline }: { readonly timeline: Schemas['Explanation']['timeline'] }) {
  const { language } = useLanguage();
  return (
    <Timeline active={timeline.length} bulletSize={16} lineWidth={2}>
      {timeline.map(({ at, event, detail }, index) => (
        <Timeline.Item key={`${at} ${event} ${index}`} title={event}>
          {detail !== null && <Text className="breaks">{detail}</Text>}
          <Text size="sm" c="dimmed">
            {exactInstantOf(at, language)}
          </Text>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
