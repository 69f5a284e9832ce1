/** Keeps a thread busy for some hundred milliseconds at least, and answers one row. */
export const SLOW =
  'with recursive c(n) as (select 1 union all select n + 1 from c limit 1000000) select max(n) as n from c'
