-- The shop: what is sold, where it lies, and a history long enough for a slow report.
create table products (id integer primary key, name text not null, price_cents integer not null);
create table bins (id integer primary key, product integer not null, quantity integer not null);
create table orders (id integer primary key, customer integer not null, total_cents integer not null);
create table order_lines (
    order_id integer not null,
    product integer not null,
    quantity integer not null,
    price_cents integer not null
);
create table invoices (order_id integer primary key, body text not null);

insert into products (name, price_cents)
select adjective.column1 || ' ' || noun.column1, 199 + 37 * (row_number() over ())
from (values ('blue'), ('red'), ('small'), ('large'), ('folding'), ('heavy'), ('light'), ('round'),
             ('spare'), ('steel')) as adjective,
     (values ('lamp'), ('chair'), ('table'), ('shelf'), ('clock'), ('kettle'), ('mirror'), ('rug'),
             ('basket'), ('drawer')) as noun;

-- A hundred bins a product, none of which a load of a few hours can empty.
with recursive n(i) as (select 0 union all select i + 1 from n where i < 9999)
insert into bins (product, quantity) select 1 + i % 100, 1000000 + (i * 7919) % 1000 from n;

with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
insert into orders (id, customer, total_cents) select i, i % 997, 1000 + i % 9000 from n;

with recursive n(i) as (select 0 union all select i + 1 from n where i < 89999)
insert into order_lines (order_id, product, quantity, price_cents)
select 1 + i / 3, 1 + (i * 31) % 100, 1 + i % 4, 199 + i % 4000 from n;
create index order_lines_by_order on order_lines (order_id);
