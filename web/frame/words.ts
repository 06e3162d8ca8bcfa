import type { Language } from '../language.ts';

/** The texts of every page. A language that lacks one does not compile. */
export interface FrameWords {
  readonly languageName: string;
  readonly skipToContent: string;
  readonly testMode: string;
  readonly operatedBy: string;
  readonly checkAgain: string;
  readonly updatesItself: string;
}

const english: FrameWords = {
  languageName: 'English',
  skipToContent: 'Skip to content',
  testMode: 'TEST mode: no real money moves',
  operatedBy: 'Payments by Lenden',
  checkAgain: 'Check again',
  updatesItself: 'This page updates by itself.',
};

const bangla: FrameWords = {
  languageName: 'বাংলা',
  skipToContent: 'মূল অংশে যান',
  testMode: 'টেস্ট মোড: আসল টাকার লেনদেন হবে না',
  operatedBy: 'পেমেন্ট সেবায় লেনদেন',
  checkAgain: 'আবার দেখুন',
  updatesItself: 'পেজটি নিজে থেকেই হালনাগাদ হয়।',
};

export function frameWordsIn(language: Language): FrameWords {
  return language === 'bn' ? bangla : english;
}
