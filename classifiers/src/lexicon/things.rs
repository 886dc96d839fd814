//! Which names do columns have that say who did what when, or that a table is not of an organisation's people?

use super::Meaning::{self, *};

/// Who did what when; the normal form of names, with a blank between them.
pub(super) const EVENTS: &[(Meaning, &str)] = &[
    (
        Time,
        "timestamp time ts datetime event_time event_timestamp created_at occurred_at logged_at received_at \
         sent_at date server_time client_time request_time date_time at when created updated_at eventtime \
         event_date login_time last_login started_at ended_at start_time end_time visit_time seen_at \
         time_local last_seen original_timestamp",
    ),
    (
        Action,
        "event event_name event_type action activity event_action operation eventname verb interaction click \
         clicked clicks page_view pageview method http_method search_query search query command type_of_event \
         activity_type event_category status_code http_status event_label cs_method sc_status request track \
         impression purchase",
    ),
    (
        Resource,
        "url page path uri page_url page_path referrer referer screen screen_name endpoint resource link \
         landing_page request_uri request_path page_title cs_uri_stem target route element button content_id \
         video_id product_id item_id sku object_key file_name",
    ),
    (Agent, "user_agent useragent browser os platform device_type http_user_agent app_version cs_user_agent"),
    (
        Duration,
        "duration duration_ms dwell_time time_on_page session_duration session_length latency_ms scroll_depth \
         elapsed_ms",
    ),
];

/// What tells a table apart from a directory of people.
pub(super) const OTHERS: &[(Meaning, &str)] = &[
    (
        Customer,
        "customer customer_name client client_name lead prospect subscriber opportunity deal crm donor \
         patient patient_id student student_id guest buyer shopper passenger tenant opt_in unsubscribed \
         newsletter loyalty_points loyalty_tier churn lifetime_value plan subscription kunde cliente klient \
         klant lead_source utm_source utm_campaign клиент 顧客 客户 고객 musteri zakaznik ugyfel clientes kunden \
         kundennummer nr_klienta client_no",
    ),
    (
        Order,
        "order order_id order_number invoice invoice_id invoice_number shipping_address billing_address \
         shipping cart quantity price total_price tracking_number payment_method order_date order_total \
         discount_code last_purchase total_spent orders_count",
    ),
    (
        Author,
        "author authors author_name author_email committer committer_name committer_email maintainer \
         maintainers contributor contributors commit commit_hash commit_sha reviewer publisher artist doi \
         isbn journal",
    ),
    (
        Software,
        "package package_name version repository repo license licence homepage dependency module crate \
         library changelog pull_request branch downloads stars forks bug issue",
    ),
    (
        Survey,
        "respondent respondent_id response_id survey survey_id years_of_experience experience_level age_range \
         age_group salary_range salary_band industry education_level remote_ratio company_size",
    ),
    (
        Machine,
        "hostname host server node pod container container_id cpu memory disk metric sensor sensor_id pid \
         thread logger level instance_id cluster namespace service trace_id span_id temperature voltage value \
         unit",
    ),
    (
        PublicOffice,
        "party constituency senator representative congress chamber bioguide_id electoral_district ministry \
         legislature term_start term_end mandate",
    ),
];
