import { z } from "PACKAGE";
import * as mini from "PACKAGE/mini";

const address = z.object({ street: z.string().min(1), zip: z.string().regex(/\d+/).optional() });
const person = z.object({
  name: z.string(),
  age: z.number().int().min(0).default(0),
  tags: z.array(z.string()),
  address,
  kind: z.enum(["a", "b"]),
  role: z.union([z.literal("admin"), z.literal("user")]),
  born: z.coerce.date(),
  extra: z.record(z.string(), z.number()),
});
type Person = z.infer<typeof person>;
export const parsed: Person = person.parse({});
export const numbers: number[] = [parsed.age, parsed.tags.length, parsed.born.getTime(), ...Object.values(parsed.extra)];
export const texts: (string | undefined)[] = [parsed.name, parsed.address.street, parsed.address.zip, parsed.kind, parsed.role];
export const input: z.input<typeof person>["age"] = undefined;
export const shape: z.ZodType<string> = z.string().transform((text) => text.length).pipe(z.number()).transform(String);
const result = person.partial().pick({ name: true }).extend({ more: z.boolean() }).safeParse({});
export const more: boolean = result.success ? result.data.more : result.error.issues.some((issue) => issue.path.length > 0);
const event = z.discriminatedUnion("type", [
  z.object({ type: z.literal("click"), x: z.number() }),
  z.object({ type: z.literal("key"), key: z.string() }),
]);
export const read = (value: z.infer<typeof event>): string | number => (value.type === "click" ? value.x : value.key);
export const small: { a: string } = mini.parse(mini.object({ a: mini.string() }), {});
// @ts-expect-error an age is a number
export const wrong: string = parsed.age;
// @ts-expect-error there is no such property
parsed.missing;
// @ts-expect-error a kind is a or b
export const kind: Person["kind"] = "c";
// @ts-expect-error a click has no key
export const key = (value: Extract<z.infer<typeof event>, { type: "click" }>): string => value.key;
// @ts-expect-error a is a string
export const other: { a: number } = mini.parse(mini.object({ a: mini.string() }), {});
