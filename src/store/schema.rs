//! The tables, as Diesel sees them on both engines; what they mean is said in the migrations.
//!
//! Belongs here: `table!` blocks only.
#![allow(
    missing_docs,
    reason = "Diesel's macro makes public items that cannot carry docs"
)]

diesel::table! {
    installation (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    accounts (id) {
        id -> Integer,
        account_id -> Text,
        name -> Text,
        currency -> Text,
        timezone -> Text,
        country -> Nullable<Text>,
        secret -> Nullable<Binary>,
        email_credits -> Nullable<BigInt>,
        created_at -> BigInt,
        duplicate_window_s -> Integer,
    }
}

diesel::table! {
    account_heads (account_id) {
        account_id -> Integer,
        next_entry -> BigInt,
        next_batch -> BigInt,
        next_customer -> BigInt,
        next_sale -> BigInt,
        next_rejection -> BigInt,
        next_commit -> BigInt,
        open_faults -> BigInt,
        keys_version -> BigInt,
        config_version -> BigInt,
    }
}

diesel::table! {
    users (account_id, number) {
        account_id -> Integer,
        number -> Integer,
        user_id -> Text,
        all_campaigns -> Bool,
        created_at -> BigInt,
        permissions -> SmallInt,
        password -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    user_campaigns (account_id, user, campaign) {
        account_id -> Integer,
        user -> Integer,
        campaign -> Integer,
    }
}

diesel::table! {
    api_keys (account_id, user, hash) {
        account_id -> Integer,
        user -> Integer,
        hash -> Binary,
        kind -> Text,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    brands (account_id, number) {
        account_id -> Integer,
        number -> Integer,
        brand_id -> Text,
        currency -> Nullable<Text>,
        timezone -> Nullable<Text>,
        token_hash -> Binary,
        created_at -> BigInt,
        campaign -> Nullable<Integer>,
    }
}

diesel::table! {
    campaigns (account_id, number) {
        account_id -> Integer,
        number -> Integer,
        campaign_id -> Text,
        kind -> Text,
        name -> Text,
        active -> Bool,
        decimals -> SmallInt,
        points_ratio -> BigInt,
        earned_per_event -> BigInt,
        allow_negative -> Bool,
        created_at -> BigInt,
        reward_ratio -> Nullable<BigInt>,
    }
}

diesel::table! {
    rewards (account_id, number) {
        account_id -> Integer,
        number -> Integer,
        campaign -> Integer,
        id -> Text,
        reward_id -> Nullable<Text>,
        level -> BigInt,
        description -> Text,
    }
}

diesel::table! {
    promotions (account_id, number) {
        account_id -> Integer,
        number -> Integer,
        campaign -> Integer,
        id -> Text,
        operand -> Text,
        value -> BigInt,
        description -> Text,
    }
}

diesel::table! {
    items (account_id, number) {
        account_id -> Integer,
        number -> Integer,
        campaign -> Integer,
        id -> Text,
        service_product -> Text,
        buy_amount -> Integer,
        description -> Text,
    }
}

diesel::table! {
    customers (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        code -> Nullable<Text>,
        card_number -> Nullable<Text>,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        cellphone -> Nullable<Text>,
        document -> Nullable<Text>,
        created_at -> BigInt,
        street1 -> Nullable<Text>,
        city -> Nullable<Text>,
        state -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        country -> Nullable<Text>,
    }
}

diesel::table! {
    customer_keys (account_id, value) {
        account_id -> Integer,
        value -> Text,
        customer -> BigInt,
        replaced -> Bool,
    }
}

diesel::table! {
    journal (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        customer -> BigInt,
        campaign -> Integer,
        item -> Integer,
        kind -> SmallInt,
        amount -> BigInt,
        balance_after -> BigInt,
        date -> Integer,
        recorded_at -> BigInt,
        previous -> Nullable<BigInt>,
        batch -> Nullable<BigInt>,
        line -> Nullable<Integer>,
        user -> Nullable<Integer>,
        given -> Nullable<Text>,
        formula -> Nullable<Text>,
        promotions -> Nullable<Text>,
        reward -> Nullable<Integer>,
        reverses -> Nullable<BigInt>,
        flags -> Integer,
        authorization -> Nullable<Text>,
        custom -> Nullable<Text>,
    }
}

diesel::table! {
    balances (account_id, customer, campaign, item) {
        account_id -> Integer,
        customer -> BigInt,
        campaign -> Integer,
        item -> Integer,
        balance -> BigInt,
        last_entry -> BigInt,
    }
}

diesel::table! {
    batches (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        commit_id -> Binary,
        user -> Integer,
        recorded_at -> BigInt,
        first_entry -> BigInt,
        transactions -> Integer,
        rejected -> Integer,
        new_customers -> Integer,
        undoable -> Bool,
        layout -> Nullable<Text>,
        kind -> SmallInt,
        customers -> Integer,
    }
}

diesel::table! {
    entry_dates (account_id, date) {
        account_id -> Integer,
        date -> Integer,
        lowest -> BigInt,
        highest -> BigInt,
    }
}

diesel::table! {
    reversals (account_id, entry) {
        account_id -> Integer,
        entry -> BigInt,
        by_entry -> BigInt,
    }
}

diesel::table! {
    rejections (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        source -> Text,
        batch -> Nullable<BigInt>,
        line -> Nullable<Integer>,
        user -> Nullable<Integer>,
        class -> Text,
        state -> Text,
        code -> Text,
        field -> Nullable<Text>,
        value -> Nullable<Text>,
        reason -> Nullable<Text>,
        remedy -> Nullable<Text>,
        raw -> Nullable<Text>,
        effective_date -> Nullable<Integer>,
        fingerprint -> Binary,
        recorded_at -> BigInt,
        brand -> Nullable<Integer>,
        state_since -> BigInt,
    }
}

diesel::table! {
    commits (account_id, nth) {
        account_id -> Integer,
        nth -> BigInt,
        commit_id -> Binary,
        recorded_at -> BigInt,
    }
}

diesel::table! {
    idempotency (account_id, dialect, caller, name) {
        account_id -> Integer,
        dialect -> Text,
        caller -> Text,
        name -> Text,
        fingerprint -> Binary,
        outcome -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    sync_heads (account_id) {
        account_id -> Integer,
        next_job -> BigInt,
        next_event -> BigInt,
        next_credit -> BigInt,
        next_consent -> BigInt,
        credits -> Nullable<BigInt>,
    }
}

diesel::table! {
    credits (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        kind -> Text,
        amount -> BigInt,
        balance_after -> BigInt,
        job -> Nullable<BigInt>,
        note -> Nullable<Text>,
        recorded_at -> BigInt,
    }
}

diesel::table! {
    contacts (account_id, customer) {
        account_id -> Integer,
        customer -> BigInt,
        contact_id -> Text,
        user_id -> Nullable<Text>,
        origin -> Text,
        verdict -> Nullable<SmallInt>,
        checked_at -> Nullable<BigInt>,
        last_consent -> Nullable<BigInt>,
        profile -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    person_keys (account_id, kind, value, customer) {
        account_id -> Integer,
        kind -> SmallInt,
        value -> Text,
        customer -> BigInt,
    }
}

diesel::table! {
    consents (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        customer -> BigInt,
        channel -> Text,
        answer -> Nullable<Bool>,
        date -> Nullable<Text>,
        remote_ip -> Nullable<Text>,
        origin -> Nullable<Text>,
        job -> Nullable<BigInt>,
        item -> Nullable<Integer>,
        previous -> Nullable<BigInt>,
        recorded_at -> BigInt,
    }
}

diesel::table! {
    custom_names (account_id, kind, name) {
        account_id -> Integer,
        kind -> SmallInt,
        name -> Text,
    }
}

diesel::table! {
    purchases (account_id, transaction_code) {
        account_id -> Integer,
        transaction_code -> Text,
        purchase_id -> Text,
        customer -> Nullable<BigInt>,
        product_uuid -> Text,
        price -> BigInt,
        currency -> Text,
        status -> Text,
        fields -> Text,
        origin -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    purchase_contacts (account_id, transaction_code, place) {
        account_id -> Integer,
        transaction_code -> Text,
        place -> Integer,
        customer -> BigInt,
    }
}

diesel::table! {
    sync_jobs (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        job_id -> Text,
        origin -> Text,
        state -> Text,
        contacts -> Integer,
        purchases -> SmallInt,
        options -> Text,
        webhook_url -> Nullable<Text>,
        purchase -> Nullable<Text>,
        purchase_code -> Nullable<Text>,
        purchase_state -> Nullable<SmallInt>,
        purchase_id -> Nullable<Text>,
        purchase_errors -> Nullable<Text>,
        purchase_told -> Nullable<Text>,
        valid -> Integer,
        failed -> Integer,
        charged -> Integer,
        event -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        completed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sync_parts (account_id, job, first) {
        account_id -> Integer,
        job -> BigInt,
        first -> Integer,
        contacts -> Text,
    }
}

diesel::table! {
    sync_queue (account_id, job) {
        account_id -> Integer,
        job -> BigInt,
        cursor_at -> Integer,
        valid -> Integer,
        failed -> Integer,
        charged -> Integer,
        claims -> Integer,
        stuck -> Integer,
        started_at -> Nullable<BigInt>,
        claimed_until -> BigInt,
        token -> Nullable<Text>,
    }
}

diesel::table! {
    sync_items (account_id, job, item) {
        account_id -> Integer,
        job -> BigInt,
        item -> Integer,
        state -> SmallInt,
        customer -> Nullable<BigInt>,
        contact_id -> Nullable<Text>,
        verdict -> Nullable<SmallInt>,
        charged -> Bool,
        errors -> Nullable<Text>,
        told -> Nullable<Text>,
    }
}

diesel::table! {
    outbox (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        event_id -> Text,
        kind -> Text,
        job -> BigInt,
        url -> Text,
        state -> Text,
        attempts -> Integer,
        created_at -> BigInt,
        done_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    outbox_queue (account_id, event) {
        account_id -> Integer,
        event -> BigInt,
        due_at -> BigInt,
        asked -> Bool,
        claimed_until -> BigInt,
        token -> Nullable<Text>,
    }
}

diesel::table! {
    attempts (account_id, event, nth) {
        account_id -> Integer,
        event -> BigInt,
        nth -> Integer,
        started_at -> BigInt,
        took_ms -> Integer,
        status -> Nullable<Integer>,
        error -> Nullable<Text>,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    sales (account_id, number) {
        account_id -> Integer,
        number -> BigInt,
        brand -> Integer,
        customer -> BigInt,
        event_at -> BigInt,
        event_date -> Integer,
        external_sale_id -> Nullable<Text>,
        order_id -> Nullable<Text>,
        value -> Nullable<BigInt>,
        currency -> Text,
        extra -> Nullable<Text>,
        campaign -> Nullable<Integer>,
        entry -> Nullable<BigInt>,
        points -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    sale_keys (account_id, brand, kind, value, sale) {
        account_id -> Integer,
        brand -> Integer,
        kind -> SmallInt,
        value -> Text,
        sale -> BigInt,
    }
}

diesel::table! {
    profiles (account_id, customer) {
        account_id -> Integer,
        customer -> BigInt,
        street2 -> Nullable<Text>,
        custom_date -> Nullable<Text>,
        custom -> Nullable<Text>,
        username -> Nullable<Text>,
        password -> Nullable<Text>,
        pin -> Nullable<Text>,
        registered -> Bool,
        updated_at -> BigInt,
    }
}

diesel::table! {
    search_texts (account_id, customer) {
        account_id -> Integer,
        customer -> BigInt,
        folded -> Text,
    }
}

diesel::table! {
    custom_fields (account_id, number) {
        account_id -> Integer,
        number -> SmallInt,
        label -> Text,
        shown -> Bool,
        kind -> SmallInt,
        choices -> Nullable<Text>,
        searchable -> Bool,
        is_unique -> Bool,
        required -> Bool,
    }
}

diesel::table! {
    undo_images (account_id, batch, customer) {
        account_id -> Integer,
        batch -> BigInt,
        customer -> BigInt,
        created -> Bool,
        image -> Text,
        recorded_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    installation,
    accounts,
    account_heads,
    users,
    user_campaigns,
    api_keys,
    brands,
    campaigns,
    rewards,
    promotions,
    items,
    customers,
    customer_keys,
    journal,
    balances,
    batches,
    entry_dates,
    reversals,
    rejections,
    commits,
    idempotency,
    sync_heads,
    credits,
    contacts,
    person_keys,
    consents,
    custom_names,
    purchases,
    purchase_contacts,
    sync_jobs,
    sync_parts,
    sync_queue,
    sync_items,
    outbox,
    outbox_queue,
    attempts,
    sales,
    sale_keys,
    profiles,
    search_texts,
    custom_fields,
    undo_images
);
