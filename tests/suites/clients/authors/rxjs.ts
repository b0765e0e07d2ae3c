import { BehaviorSubject, combineLatest, firstValueFrom, from, interval, type Observable, of, Subject, type Subscription } from "PACKAGE";
import { ajax } from "PACKAGE/ajax";
import { bufferCount, catchError, debounceTime, filter, map, mergeMap, scan, switchMap, takeUntil, withLatestFrom } from "PACKAGE/operators";
import { TestScheduler } from "PACKAGE/testing";
import { webSocket } from "PACKAGE/webSocket";

const ends = new Subject<void>();
const state = new BehaviorSubject({ count: 0 });
export const total: Observable<number> = from([1, 2, 3]).pipe(
  mergeMap((n) => of(n, String(n))),
  filter((value): value is number => typeof value === "number"),
  scan((sum, n) => sum + n, 0),
  takeUntil(ends),
);
export const both: Observable<[number, { count: number }]> = combineLatest([total, state]);
export const pairs: Observable<string[]> = interval(10).pipe(map(String), bufferCount(2), debounceTime(1));
export const later: Promise<number> = firstValueFrom(total.pipe(withLatestFrom(state), map(([n, { count }]) => n + count)));
export const fetched: Observable<string> = ajax.getJSON<{ a: string }>("/").pipe(switchMap(({ a }) => of(a)), catchError(() => of("")));
export const subscription: Subscription = total.subscribe({ next: (n) => state.next({ count: n }), error: (error: unknown) => void error });
export const socket: Observable<{ b: 1 }> = webSocket<{ b: 1 }>("ws://localhost");
export const frames: number = new TestScheduler(() => true).maxFrames;
// @ts-expect-error a number is not a string
export const wrong: Observable<string> = total;
// @ts-expect-error a count is a number
state.next({ count: "1" });
// @ts-expect-error there is no such method
total.then();
// @ts-expect-error a number has no length
from([1]).pipe(map((n) => n.length));
